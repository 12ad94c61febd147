using LocalPlus.Console.Layout;
using LocalPlus.Hosting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace LocalPlus.Console.Session;

/// <summary>
/// People sign in at the OpenID provider (authorisation code with PKCE). The browser keeps a random name of its session
/// and nothing else; the tokens lie in <c>cachestore</c>, encrypted, for <see cref="Life"/>.
/// </summary>
internal static class Sessions
{
    public const string Policy = "page";
    public const string Cookie = "session";
    public const string Provider = "provider";
    private const string SignedIn = "signed-in";
    private const string SignedOut = "signed-out";
    public static readonly TimeSpan Life = TimeSpan.FromHours(24);

    public static void AddSessions(this WebApplicationBuilder builder)
    {
        var provider = OpenIdProvider.From(builder.Configuration, builder.Environment);
        var settings = ConsoleSettings.From(builder.Configuration);
        var isSecure = settings.IsSecure;
        builder.Services.AddSingleton(provider);
        builder.Services.AddSingleton<IDataProtectionProvider, KeyedProtection>();
        builder.Services.AddSingleton<SessionStore>();
        builder.Services.AddSingleton<TokenRefresh>();
        builder.Services.AddHttpClient<TokenRefresh>();
        builder.Services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = Name("localplus-form", isSecure);
            antiforgery.Cookie.SameSite = SameSiteMode.Strict;
            antiforgery.Cookie.SecurePolicy = Secure(isSecure);
        });
        builder
            .Services.AddAuthentication()
            .AddCookie(Cookie, cookie => Configure(cookie, isSecure))
            .AddOpenIdConnect(Provider, oidc => Configure(oidc, provider, settings));
        builder
            .Services.AddOptions<CookieAuthenticationOptions>(Cookie)
            .Configure<SessionStore>((cookie, store) => cookie.SessionStore = store);
        builder
            .Services.AddAuthorizationBuilder()
            .AddPolicy(Policy, policy => policy.AddAuthenticationSchemes(Cookie).RequireAuthenticatedUser());
    }

    public static void MapSessions(this WebApplication app)
    {
        var session = app.MapGroup(ConsoleService.Root)
            .RequirePort(Port.Public)
            .RequireAuthorization(Policy)
            .ExcludeFromDescription();
        session.MapPost("/sign-out", () => SignOut()).RequireForm();
        session.MapPost("/sign-out-everywhere", SignOutEverywhereAsync).RequireForm();
        Words.MapLanguage(session);
    }

    private static IResult SignOut() =>
        Results.SignOut(new AuthenticationProperties { RedirectUri = ConsoleService.Root }, [Cookie, Provider]);

    /// <summary>Ends every session of this person, on every machine, before it ends this one.</summary>
    private static async Task<IResult> SignOutEverywhereAsync(
        HttpContext http,
        SessionStore store,
        CancellationToken cancel
    )
    {
        await store.EndAllAsync(http.User.FindFirst("sub")!.Value, cancel);
        return SignOut();
    }

    private static void Configure(CookieAuthenticationOptions cookie, bool isSecure)
    {
        cookie.Cookie.Name = Name("localplus-session", isSecure);
        cookie.Cookie.Path = isSecure ? "/" : ConsoleService.Root;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = Secure(isSecure);
        cookie.ExpireTimeSpan = Life;
        cookie.SlidingExpiration = false;
        cookie.ForwardChallenge = Provider;
        cookie.AccessDeniedPath = $"{ConsoleService.Root}/denied";
        cookie.Events.OnSigningIn = context =>
        {
            TokenRefresh.Begin(context);
            return Task.CompletedTask;
        };
        cookie.Events.OnValidatePrincipal = context =>
            context.HttpContext.RequestServices.GetRequiredService<TokenRefresh>().ValidateAsync(context);
    }

    private static void Configure(OpenIdConnectOptions oidc, OpenIdProvider provider, ConsoleSettings settings)
    {
        oidc.SignInScheme = Cookie;
        oidc.ClientId = provider.Client;
        oidc.MetadataAddress = provider.Metadata.AbsoluteUri;
        oidc.RequireHttpsMetadata = provider.IsSecure;
        oidc.ResponseType = OpenIdConnectResponseType.Code;
        oidc.ResponseMode = OpenIdConnectResponseMode.Query;
        oidc.CallbackPath = $"{ConsoleService.Root}/{SignedIn}";
        oidc.SignedOutCallbackPath = $"{ConsoleService.Root}/{SignedOut}";
        oidc.Events.OnRedirectToIdentityProvider = context =>
        {
            context.ProtocolMessage.RedirectUri = settings.At(SignedIn).AbsoluteUri;
            return Task.CompletedTask;
        };
        oidc.Events.OnAuthorizationCodeReceived = context =>
        {
            context.TokenEndpointRequest!.RedirectUri = settings.At(SignedIn).AbsoluteUri;
            return Task.CompletedTask;
        };
        oidc.Events.OnRedirectToIdentityProviderForSignOut = context =>
        {
            context.ProtocolMessage.PostLogoutRedirectUri = settings.At(SignedOut).AbsoluteUri;
            return Task.CompletedTask;
        };
        oidc.SignedOutRedirectUri = ConsoleService.Root;
        oidc.RemoteSignOutPath = $"{ConsoleService.Root}/provider-signs-out";
        oidc.MapInboundClaims = false;
        oidc.SaveTokens = true;
        oidc.DisableTelemetry = true;
        oidc.TokenValidationParameters.NameClaimType = "name";
        oidc.TokenValidationParameters.RoleClaimType = "role";
        foreach (var cookie in new[] { oidc.CorrelationCookie, oidc.NonceCookie })
        {
            cookie.SameSite = SameSiteMode.Lax;
            cookie.SecurePolicy = Secure(settings.IsSecure);
            cookie.Path = ConsoleService.Root;
        }

        oidc.Scope.Clear();
        foreach (var scope in new[] { "openid", "profile", "email", "offline_access" })
        {
            oidc.Scope.Add(scope);
        }
    }

    /// <summary>With the prefix that keeps a cookie from being set by anybody but this host over TLS.</summary>
    private static string Name(string name, bool isSecure) => isSecure ? $"__Host-{name}" : name;

    private static CookieSecurePolicy Secure(bool isSecure) =>
        isSecure ? CookieSecurePolicy.Always : CookieSecurePolicy.SameAsRequest;
}
