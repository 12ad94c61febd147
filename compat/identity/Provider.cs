using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.IdentityModel.Tokens;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace LocalPlus.Identity;

/// <summary>
/// An OpenID provider for one machine, on OpenIddict: discovery, authorisation code with PKCE, device code, refresh,
/// end of session. What it knows is in memory: a restart signs everybody out.
/// </summary>
internal static class Provider
{
    private static readonly TimeSpan AccessTokenLifetime = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan SessionLifetime = TimeSpan.FromHours(24);

    public static WebApplication Build(Settings settings, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, settings.Port));
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddAntiforgery();
        builder.Services.AddAuthorization();
        builder
            .Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(cookie =>
            {
                cookie.Cookie.Name = "localplus-identity";
                cookie.ExpireTimeSpan = SessionLifetime;
            });
        builder.Services.AddDbContext<DbContext>(store =>
            store
                .UseInMemoryDatabase("identity")
                .ConfigureWarnings(warnings => warnings.Ignore(InMemoryEventId.TransactionIgnoredWarning))
                .UseOpenIddict()
        );
        builder
            .Services.AddOpenIddict()
            .AddCore(core => core.UseEntityFrameworkCore().UseDbContext<DbContext>().DisableBulkOperations())
            .AddServer(server => Configure(server, settings));
        var app = builder.Build();
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseAntiforgery();
        app.MapSignIn();
        app.MapProtocol();
        app.MapGet("/healthz", () => Results.Ok());
        return app;
    }

    private static void Configure(OpenIddictServerBuilder server, Settings settings)
    {
        server
            .SetIssuer(settings.Issuer)
            .SetAuthorizationEndpointUris("connect/authorize")
            .SetDeviceAuthorizationEndpointUris("connect/device")
            .SetEndSessionEndpointUris("connect/logout")
            .SetEndUserVerificationEndpointUris("connect/verify")
            .SetTokenEndpointUris("connect/token")
            .AllowAuthorizationCodeFlow()
            .RequireProofKeyForCodeExchange()
            .AllowDeviceAuthorizationFlow()
            .AllowRefreshTokenFlow()
            .RegisterScopes(Scopes.Email, Scopes.OfflineAccess, Scopes.Profile)
            .SetAccessTokenLifetime(AccessTokenLifetime)
            .SetRefreshTokenLifetime(SessionLifetime)
            .AddSigningKey(SigningKey(settings.KeyFile))
            .AddEphemeralEncryptionKey()
            .DisableAccessTokenEncryption()
            .Configure(options => options.CodeChallengeMethods.Remove(CodeChallengeMethods.Plain));
        server
            .UseAspNetCore()
            .EnableAuthorizationEndpointPassthrough()
            .EnableEndSessionEndpointPassthrough()
            .EnableEndUserVerificationEndpointPassthrough()
            // Plain HTTP, since it never leaves the loopback interface.
            .DisableTransportSecurityRequirement();
    }

    /// <summary>Under the id that the JWKS of the services has it.</summary>
    private static ECDsaSecurityKey SigningKey(string file)
    {
        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(file));
        var id = Convert.ToHexStringLower(SHA256.HashData(key.ExportSubjectPublicKeyInfo()))[..16];
        return new ECDsaSecurityKey(key) { KeyId = id };
    }
}
