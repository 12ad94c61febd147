using System.CommandLine;
using LocalPlus.Client.Catalog;
using LocalPlus.Client.Profiles;
using LocalPlus.Client.Verbs;

namespace LocalPlus.Client.Calls;

/// <summary>One use of the program: where to, and in whose name.</summary>
internal sealed class Session : IDisposable
{
    private const string KeyVariable = "LOCALPLUS_API_KEY";
    private const string TokenVariable = "LOCALPLUS_TOKEN";

    /// <summary>A token that ends sooner is renewed before it is used.</summary>
    private static readonly TimeSpan Spare = TimeSpan.FromSeconds(30);

    private readonly ApiClient _api;
    private readonly string? _key;
    private readonly string? _role;
    private readonly bool _asPerson;
    private Profile? _profile;

    public Session(ApiClient api, Profile? profile, string? key, string? role = null, bool asPerson = false)
    {
        (_api, _profile, _key, _role, _asPerson) = (api, profile, key, role, asPerson);
    }

    public Uri Address => _api.Address;

    public Profile? Profile => _profile;

    public bool HasKey => _key is not null;

    public bool IsLocal => _profile?.IsLocal == true;

    /// <summary>The command that signs in to this profile.</summary>
    public string Login =>
        IsLocal || _profile is null ? $"{Shell.Self} login" : $"{Shell.Self} login --profile {_profile.Name}";

    public static Session Open(ParseResult words)
    {
        var profile = ProfileFile.Choose(words.GetValue(Common.Profile));
        var key =
            words.GetValue(Common.Key)
            ?? (Environment.GetEnvironmentVariable(KeyVariable) is { Length: > 0 } said ? said : profile?.ApiKey);
        var url = words.GetValue(Common.Gateway) ?? profile?.Url ?? throw Nowhere(key);
        return new Session(
            new ApiClient(new Uri(url)),
            profile,
            key,
            words.GetValue(Common.Role),
            words.GetValue(Common.Person)
        );
    }

    /// <summary>Whether a person's token is what this verb is asked with.</summary>
    public bool IsPerson(ApiVerb? verb) => verb?.IsOfOperators == true || _asPerson || _key is null;

    public async Task<ApiAnswer> SendAsync(ApiRequest request, CancellationToken cancel)
    {
        var bearer = request.IsPersons || _asPerson || _key is null ? await PersonAsync(request, cancel) : _key;
        return await _api.SendAsync(request, bearer, cancel);
    }

    /// <summary>The answer, or the failure that it is.</summary>
    public async Task<ApiAnswer> MustAsync(ApiRequest request, ApiVerb? verb, CancellationToken cancel)
    {
        var answer = await SendAsync(request, cancel);
        return answer.IsGood ? answer : throw Refusal.Of(request, answer, this, verb);
    }

    /// <summary>The token of whoever signed in; null when nobody did and nobody can be made up.</summary>
    public async Task<string?> TokenAsync(CancellationToken cancel)
    {
        if (Environment.GetEnvironmentVariable(TokenVariable) is { Length: > 0 } given)
        {
            return given;
        }

        if (_role is { } role)
        {
            return OperatorToken.Mint(
                _profile?.OperatorKeyFile ?? throw CliFailure.Usage("--role is for the local stack alone", "login"),
                role,
                Environment.UserName
            );
        }

        if (_profile?.SignIn is { } signIn && await FreshAsync(_profile, signIn, cancel) is { } fresh)
        {
            return fresh.AccessToken;
        }

        return _profile?.OperatorKeyFile is { } file
            ? OperatorToken.Mint(file, OperatorToken.Roles[0], Environment.UserName)
            : null;
    }

    public void Dispose() => _api.Dispose();

    private async Task<string> PersonAsync(ApiRequest request, CancellationToken cancel) =>
        await TokenAsync(cancel)
        ?? throw (
            request.IsPersons || _asPerson ? new CliFailure(ExitCodes.Refused, "nobody has signed in", Login) : NoKey()
        );

    private async Task<SignIn?> FreshAsync(Profile profile, SignIn signIn, CancellationToken cancel)
    {
        if (signIn.ExpiresAt - DateTimeOffset.UtcNow > Spare)
        {
            return signIn;
        }

        using var provider = new DeviceSignIn(profile);
        if (await provider.RefreshAsync(signIn, cancel) is not { } fresh)
        {
            throw new CliFailure(ExitCodes.Refused, "the sign-in is over", Login);
        }

        ProfileFile.Keep(profile, fresh);
        _profile = profile with { SignIn = fresh };
        return fresh;
    }

    private static CliFailure Nowhere(string? key) =>
        key is null ? NoKey() : new CliFailure(ExitCodes.NotFound, "it is not said where the API is", "--gateway URL");

    private static CliFailure NoKey() =>
        new(
            ExitCodes.NotFound,
            "there is no API key",
            Shell.Self.StartsWith('.')
                ? "./localplus up, or --key KEY"
                : $"{Shell.Self} profile set NAME --url URL --issuer URL --key KEY"
        );
}
