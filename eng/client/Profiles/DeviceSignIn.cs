using Duende.IdentityModel;
using Duende.IdentityModel.Client;

namespace LocalPlus.Client.Profiles;

/// <summary>
/// Sign-in by device code (RFC 8628): the terminal shows an address and a code, a browser anywhere confirms them. And
/// what comes later: fresh tokens, and giving them back.
/// </summary>
internal sealed class DeviceSignIn(Profile profile) : IDisposable
{
    private const string Scopes = "openid profile email offline_access";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(15);

    /// <summary>Between two questions whether somebody has confirmed, when the provider does not say.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    /// <summary>What is added to it when the provider finds them too many (RFC 8628, 3.5).</summary>
    private static readonly TimeSpan SlowDown = TimeSpan.FromSeconds(5);

    private readonly HttpClient _http = new() { Timeout = Limit };

    /// <param name="show">Is told the address and the code.</param>
    public async Task<SignIn> SignInAsync(Action<string, string> show, CancellationToken cancel)
    {
        var provider = await DiscoverAsync(cancel);
        using var ask = new DeviceAuthorizationRequest
        {
            Address =
                provider.DeviceAuthorizationEndpoint
                ?? throw Failed("the provider knows no device code", "sign in elsewhere and set LOCALPLUS_TOKEN"),
            ClientId = profile.ClientId,
            Scope = Scopes,
        };
        var device = await _http.RequestDeviceAuthorizationAsync(ask, cancel);
        if (device.IsError)
        {
            throw Failed(
                $"{device.Error} {device.ErrorDescription}".Trim(),
                $"is '{profile.ClientId}' a client there?"
            );
        }

        show(device.VerificationUriComplete ?? device.VerificationUri!, device.UserCode!);
        return await PollAsync(provider, device, cancel);
    }

    /// <summary>Null when the provider takes the refresh token no more.</summary>
    public async Task<SignIn?> RefreshAsync(SignIn old, CancellationToken cancel)
    {
        if (old.RefreshToken is null)
        {
            return null;
        }

        var provider = await DiscoverAsync(cancel);
        using var ask = new RefreshTokenRequest
        {
            Address = provider.TokenEndpoint,
            ClientId = profile.ClientId,
            RefreshToken = old.RefreshToken,
        };
        var answer = await _http.RequestRefreshTokenAsync(ask, cancel);
        return answer switch
        {
            { IsError: false } => Of(answer, old.RefreshToken),
            { Error: OidcConstants.TokenErrors.InvalidGrant } => null,
            _ => throw Failed($"no fresh token: {answer.Error}", "again in a moment"),
        };
    }

    /// <summary>Where the provider takes tokens back; elsewhere they end by themselves.</summary>
    public async Task RevokeAsync(SignIn old, CancellationToken cancel)
    {
        var provider = await DiscoverAsync(cancel);
        if (provider.RevocationEndpoint is not { } address)
        {
            return;
        }

        using var ask = new TokenRevocationRequest
        {
            Address = address,
            ClientId = profile.ClientId,
            Token = old.RefreshToken ?? old.AccessToken,
        };
        var answer = await _http.RevokeTokenAsync(ask, cancel);
        if (answer.IsError)
        {
            throw Failed($"the token was not taken back: {answer.Error}", "it ends by itself");
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<SignIn> PollAsync(
        DiscoveryDocumentResponse provider,
        DeviceAuthorizationResponse device,
        CancellationToken cancel
    )
    {
        var until = DateTimeOffset.UtcNow.AddSeconds(device.ExpiresIn ?? 0);
        var interval = device.Interval > 0 ? TimeSpan.FromSeconds(device.Interval) : Interval;
        while (DateTimeOffset.UtcNow < until)
        {
            await Task.Delay(interval, cancel);
            using var ask = new DeviceTokenRequest
            {
                Address = provider.TokenEndpoint,
                ClientId = profile.ClientId,
                DeviceCode = device.DeviceCode!,
            };
            var answer = await _http.RequestDeviceTokenAsync(ask, cancel);
            switch (answer)
            {
                case { IsError: false }:
                    return Of(answer, null);
                case { Error: OidcConstants.TokenErrors.AuthorizationPending }:
                    break;
                case { Error: OidcConstants.TokenErrors.SlowDown }:
                    interval += SlowDown;
                    break;
                case { Error: OidcConstants.TokenErrors.AccessDenied }:
                    throw new CliFailure(ExitCodes.Refused, "the sign-in was declined in the browser", Again);
                case { Error: OidcConstants.TokenErrors.ExpiredToken }:
                    throw TooLate();
                default:
                    throw Failed($"{answer.Error} {answer.ErrorDescription}".Trim(), Again);
            }
        }

        throw TooLate();
    }

    private static CliFailure TooLate() => new(ExitCodes.Refused, "nobody confirmed the code in time", Again);

    private static string Again => $"{Shell.Self} login";

    private static SignIn Of(TokenResponse answer, string? oldRefreshToken) =>
        new(
            answer.AccessToken!,
            answer.RefreshToken ?? oldRefreshToken,
            DateTimeOffset.UtcNow.AddSeconds(answer.ExpiresIn)
        );

    private async Task<DiscoveryDocumentResponse> DiscoverAsync(CancellationToken cancel)
    {
        var issuer =
            profile.Issuer
            ?? throw new CliFailure(
                ExitCodes.NotFound,
                $"profile '{profile.Name}' names no provider to sign in at",
                $"{Shell.Self} profile set {profile.Name} --issuer URL"
            );
        using var ask = new DiscoveryDocumentRequest
        {
            Address = issuer,
            // The local provider answers at another address than its tokens say.
            Policy = { ValidateIssuerName = !profile.IsLocal, ValidateEndpoints = !profile.IsLocal },
        };
        var document = await _http.GetDiscoveryDocumentAsync(ask, cancel);
        return document.IsError
            ? throw Failed(
                $"{issuer}: {document.Error}",
                profile.IsLocal ? "./localplus up" : "look at the profile's issuer"
            )
            : document;
    }

    private static CliFailure Failed(string message, string next) => new(ExitCodes.Unavailable, message, next);
}
