using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Output;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Client.Verbs;

/// <summary>profile list, use, set, remove.</summary>
internal static class ProfileVerbs
{
    private static readonly Argument<string> Name = new("name")
    {
        Description = "its name",
        CompletionSources = { _ => Known().Select(p => new System.CommandLine.Completions.CompletionItem(p.Name)) },
    };
    private static readonly Option<string> Url = Common.Text("--url", "where the API is", "URL");
    private static readonly Option<string> Issuer = Common.Text("--issuer", "the OpenID provider", "URL");
    private static readonly Option<string> ClientId = Common.Text("--client-id", "this program, there", "ID");
    private static readonly Option<string> Key = Common.Text(
        "--key",
        "an API key; - reads it from standard input",
        "KEY|-"
    );

    public static Command Command()
    {
        var list = new Command("list", "all of them").With(Common.Output);
        list.SetAction(ListAsync);
        var use = new Command("use", "which one is meant when nothing is said").With(Name);
        use.SetAction(UseAsync);
        var set = new Command("set", "a new one, or what is said of one that is there").With(
            Name,
            Url,
            Issuer,
            ClientId,
            Key
        );
        set.SetAction(SetAsync);
        var remove = new Command("remove", "forget one, with its key and sign-in").With(Name);
        remove.SetAction(RemoveAsync);
        return new Command("profile", "where the API is and as whom: addresses, keys, sign-ins").With(
            list,
            use,
            set,
            remove
        );
    }

    private static IEnumerable<Profile> Known()
    {
        var set = ProfileFile.Read();
        return LocalProfile.Find() is { } local ? [local, .. set.Profiles] : set.Profiles;
    }

    private static Task<int> ListAsync(ParseResult words, CancellationToken cancel)
    {
        var inUse = ProfileFile.Choose(null)?.Name;
        JsonObject[] rows =
        [
            .. Known()
                .Select(profile => new JsonObject
                {
                    ["in_use"] = profile.Name == inUse,
                    ["name"] = profile.Name,
                    ["url"] = profile.Url,
                    ["issuer"] = profile.Issuer,
                    ["key"] = profile.ApiKey is { Length: > 4 } key ? $"…{key[^4..]}" : null,
                    ["signed_in"] = profile.SignIn is { } signIn
                        ? (string?)OperatorToken.Claims(signIn.AccessToken)?["sub"]
                        : null,
                }),
        ];
        var body = new JsonObject { ["data"] = new JsonArray([.. rows.Select(row => row.DeepClone())]) };
        Printer.Rows(
            words.GetValue(Common.Output),
            body.ToJsonString(),
            rows,
            [.. "in_use name url issuer key signed_in".Split(' ').Select(Column.Parse)]
        );
        return Task.FromResult(ExitCodes.Ok);
    }

    private static Task<int> UseAsync(ParseResult words, CancellationToken cancel)
    {
        var name = words.GetRequiredValue(Name);
        var profile = ProfileFile.Choose(name)!;
        ProfileFile.Write(ProfileFile.Read() with { Current = name });
        Terminal.Note($"{name} is in use: {profile.Url}");
        return Task.FromResult(ExitCodes.Ok);
    }

    private static Task<int> SetAsync(ParseResult words, CancellationToken cancel)
    {
        var name = words.GetRequiredValue(Name);
        if (name == LocalProfile.Name)
        {
            throw CliFailure.Usage($"'{name}' is the stack of the checkout and sets itself up", "profile set");
        }

        var set = ProfileFile.Read();
        var old = set.Find(name);
        var url = words.GetValue(Url) ?? old?.Url ?? throw CliFailure.Usage("a new profile needs --url", "profile set");
        var key = words.GetValue(Key) is "-" ? Console.In.ReadLine()?.Trim() : words.GetValue(Key);
        ProfileFile.Write(
            set.With(
                new Profile(name, Safe(url, "--url"))
                {
                    Issuer = words.GetValue(Issuer) is { } issuer ? Safe(issuer, "--issuer") : old?.Issuer,
                    ClientId = words.GetValue(ClientId) ?? old?.ClientId ?? "cli",
                    ApiKey = key is { Length: > 0 } ? key : old?.ApiKey,
                    // Tokens of one provider are not shown to another address.
                    SignIn = words.GetValue(Url) is null && words.GetValue(Issuer) is null ? old?.SignIn : null,
                }
            )
        );
        Terminal.Note($"{name} is kept in {ProfileFile.Location}");
        return Task.FromResult(ExitCodes.Ok);
    }

    private static Task<int> RemoveAsync(ParseResult words, CancellationToken cancel)
    {
        var name = words.GetRequiredValue(Name);
        var set = ProfileFile.Read();
        if (set.Find(name) is null)
        {
            throw new CliFailure(
                ExitCodes.NotFound,
                $"there is no profile '{name}' in {ProfileFile.Location}",
                $"{Shell.Self} profile list"
            );
        }

        ProfileFile.Write(set.Without(name));
        Terminal.Note($"{name} is forgotten");
        return Task.FromResult(ExitCodes.Ok);
    }

    /// <summary>Keys and tokens go over TLS, or stay on this machine.</summary>
    private static string Safe(string url, string option) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback))
            ? url
            : throw CliFailure.Usage($"{option} takes an https address, or one of this machine", "profile set");
}
