using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LocalPlus.Console.Session;

/// <summary>
/// Looks at each request's session: one that somebody ended everywhere is none any more, and an access token that is
/// about to end is changed for a new one. Who can get none has to sign in again.
/// </summary>
internal sealed class TokenRefresh(
    HttpClient http,
    SessionStore sessions,
    IOptionsMonitor<OpenIdConnectOptions> provider,
    TimeProvider time,
    ILogger<TokenRefresh> log
)
{
    public const string AccessToken = "access_token";
    private const string BegunAt = "begun_at";
    private const string ExpiresAt = "expires_at";
    private const string RefreshToken = "refresh_token";

    /// <summary>Longer than any request takes.</summary>
    private static readonly TimeSpan Early = TimeSpan.FromSeconds(60);

    /// <summary>A session's own clock: renewing its tokens must not prolong it.</summary>
    public static void Begin(CookieSigningInContext context) =>
        context.Properties.Items.TryAdd(
            BegunAt,
            context
                .HttpContext.RequestServices.GetRequiredService<TimeProvider>()
                .GetUtcNow()
                .ToString("o", CultureInfo.InvariantCulture)
        );

    public async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var cancel = context.HttpContext.RequestAborted;
        var subject = context.Principal?.FindFirst("sub")?.Value;
        if (
            subject is null
            || Instant(context.Properties.GetString(BegunAt)) is not { } begunAt
            || begunAt + Sessions.Life <= time.GetUtcNow()
            || await sessions.IsEndedAsync(subject, begunAt, cancel)
        )
        {
            context.RejectPrincipal();
            return;
        }

        if (Instant(context.Properties.GetTokenValue(ExpiresAt)) - time.GetUtcNow() > Early)
        {
            return;
        }

        if (await TryRefreshAsync(context.Properties, cancel))
        {
            context.ShouldRenew = true;
        }
        else
        {
            context.RejectPrincipal();
        }
    }

    private static DateTimeOffset? Instant(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? at
            : null;

    private async Task<bool> TryRefreshAsync(AuthenticationProperties properties, CancellationToken cancel)
    {
        if (properties.GetTokenValue(RefreshToken) is not { } refresh)
        {
            return false;
        }

        var options = provider.Get(Sessions.Provider);
        var known = await options.ConfigurationManager!.GetConfigurationAsync(cancel);
        using var form = new FormUrlEncodedContent([
            new(OpenIdConnectParameterNames.GrantType, OpenIdConnectGrantTypes.RefreshToken),
            new(OpenIdConnectParameterNames.ClientId, options.ClientId),
            new(OpenIdConnectParameterNames.RefreshToken, refresh),
        ]);
        using var answer = await http.PostAsync(new Uri(known.TokenEndpoint), form, cancel);
        if (!answer.IsSuccessStatusCode)
        {
            log.NotRefreshed((int)answer.StatusCode);
            return false;
        }

        using var tokens = await JsonDocument.ParseAsync(
            await answer.Content.ReadAsStreamAsync(cancel),
            cancellationToken: cancel
        );
        properties.UpdateTokenValue(AccessToken, tokens.RootElement.GetProperty(AccessToken).GetString()!);
        properties.UpdateTokenValue(
            ExpiresAt,
            time.GetUtcNow()
                .AddSeconds(tokens.RootElement.GetProperty("expires_in").GetInt64())
                .ToString("o", CultureInfo.InvariantCulture)
        );
        if (tokens.RootElement.TryGetProperty(RefreshToken, out var next))
        {
            properties.UpdateTokenValue(RefreshToken, next.GetString()!);
        }

        return true;
    }
}
