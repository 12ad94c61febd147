using System.CommandLine;
using System.Text.Json.Nodes;
using LocalPlus.Client.Calls;
using LocalPlus.Client.Output;
using LocalPlus.Client.Profiles;

namespace LocalPlus.Client.Verbs;

/// <summary>login, logout, whoami.</summary>
internal static class LoginVerbs
{
    public static IEnumerable<Command> All()
    {
        var login = new Command("login", "sign in: confirm a code in a browser, here or elsewhere").With(
            Common.Profile
        );
        login.SetAction(LoginAsync);
        var logout = new Command("logout", "forget the sign-in, and give it back where that can be done").With(
            Common.Profile
        );
        logout.SetAction(LogoutAsync);
        var who = new Command("whoami", "the profile, the key's merchant, whoever signed in").With([
            Common.Output,
            .. Common.Caller,
        ]);
        who.SetAction(WhoAmIAsync);
        return [login, logout, who];
    }

    /// <summary>Signs in and says how; nothing is kept.</summary>
    public static async Task<SignIn> SignInAsync(Profile profile, CancellationToken cancel)
    {
        using var provider = new DeviceSignIn(profile);
        return await provider.SignInAsync(
            (address, code) =>
            {
                Terminal.Note($"Open {address}");
                Terminal.Note($"and confirm the code {code}");
            },
            cancel
        );
    }

    private static Profile Chosen(ParseResult words) =>
        ProfileFile.Choose(words.GetValue(Common.Profile))
        ?? throw new CliFailure(
            ExitCodes.NotFound,
            "there is no profile",
            $"./localplus up, or {Shell.Self} profile set NAME --url URL --issuer URL"
        );

    private static async Task<int> LoginAsync(ParseResult words, CancellationToken cancel)
    {
        var profile = Chosen(words);
        var signIn = await SignInAsync(profile, cancel);
        ProfileFile.Keep(profile, signIn);
        var claims = OperatorToken.Claims(signIn.AccessToken);
        var role = claims?["role"] is { } said ? $", {said}" : "";
        Terminal.Note($"signed in as {claims?["name"] ?? claims?["sub"]}{role} ({profile.Name}, {profile.Url})");
        return ExitCodes.Ok;
    }

    private static async Task<int> LogoutAsync(ParseResult words, CancellationToken cancel)
    {
        var profile = Chosen(words);
        if (profile.SignIn is not { } signIn)
        {
            Terminal.Note($"nobody has signed in ({profile.Name})");
            return ExitCodes.Ok;
        }

        ProfileFile.Keep(profile, null);
        Terminal.Note($"signed out ({profile.Name})");
        using var provider = new DeviceSignIn(profile);
        await provider.RevokeAsync(signIn, cancel);
        return ExitCodes.Ok;
    }

    private static async Task<int> WhoAmIAsync(ParseResult words, CancellationToken cancel)
    {
        using var session = Session.Open(words);
        var me = new JsonObject { ["profile"] = session.Profile?.Name, ["url"] = session.Address.ToString() };
        if (session.HasKey && !words.GetValue(Common.Person))
        {
            var answer = await session.MustAsync(new ApiRequest(HttpMethod.Get, "/v1/merchants/me"), null, cancel);
            me["merchant"] = new JsonObject
            {
                ["id"] = answer.Body?["id"]?.DeepClone(),
                ["name"] = answer.Body?["name"]?.DeepClone(),
                ["mode"] = answer.Body?["mode"]?.DeepClone(),
                ["status"] = answer.Body?["status"]?.DeepClone(),
            };
        }

        if (await session.TokenAsync(cancel) is { } token && OperatorToken.Claims(token) is { } claims)
        {
            me["person"] = new JsonObject
            {
                ["subject"] = claims["sub"]?.DeepClone(),
                ["name"] = claims["name"]?.DeepClone(),
                ["role"] = claims["role"]?.DeepClone(),
                ["issuer"] = claims["iss"]?.DeepClone(),
                ["signed_in_at"] = Time(claims["auth_time"]),
                ["expires_at"] = Time(claims["exp"]),
            };
        }

        Printer.Show(words.GetValue(Common.Output), me.ToJsonString(), me);
        return ExitCodes.Ok;
    }

    private static JsonNode? Time(JsonNode? seconds) =>
        seconds is JsonValue value && value.TryGetValue<long>(out var unix)
            ? DateTimeOffset.FromUnixTimeSeconds(unix).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'")
            : null;
}
