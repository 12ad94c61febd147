using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.IdentityModel.Tokens;

namespace LocalPlus.Hosting;

/// <summary>
/// Two kinds of callers (architecture section 8): merchants with API keys and scopes, or with people whose role in the
/// team stands for scopes; operators with an OIDC token and one of three roles. Each role includes the ones before it.
/// </summary>
public static class Authentication
{
    public const string MerchantPolicy = "merchant";
    public const string ScopeClaim = "scope";

    /// <summary>The service that the others ask about keys.</summary>
    internal const string WhoKnowsKeys = "merchant";

    internal const string OperatorScheme = "operator-token";

    /// <summary>Each includes the ones before it.</summary>
    internal static readonly string[] Roles = ["viewer", "operator", "admin"];

    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(60);

    /// <summary>The endpoint needs this scope on the merchant's key.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder builder, string scope)
        where TBuilder : IEndpointConventionBuilder => builder.WithMetadata(new RequiredScope(scope));

    /// <summary>The endpoint needs this role, or a higher one: viewer, operator, admin.</summary>
    public static TBuilder RequireRole<TBuilder>(this TBuilder builder, string role)
        where TBuilder : IEndpointConventionBuilder => builder.RequireAuthorization(role);

    internal static void AddLocalPlusAuthentication(
        this IServiceCollection services,
        IConfiguration configuration,
        IHostEnvironment environment
    )
    {
        var issuer = OperatorIssuer.From(configuration, environment);
        var claims = OperatorClaims.From(configuration);
        services.AddSingleton(issuer);
        services.AddSingleton(provider => new OperatorKeys(
            issuer,
            new HttpClient { MaxResponseContentBufferSize = OperatorKeys.MaxSetBytes },
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<OperatorKeys>>()
        ));
        services.AddHostedService(provider => provider.GetRequiredService<OperatorKeys>());
        services.AddSingleton(all => new DaprStateCache(
            all.GetRequiredService<Dapr.Client.DaprClient>(),
            all.GetRequiredService<TimeProvider>()
        ));
        services.AddSingleton<SharedVerdicts>();
        services.AddSingleton<KeyRulings>();
        services.AddSingleton(all => new MerchantWords(
            all.GetRequiredService<SharedVerdicts>(),
            all.GetRequiredService<KeyRulings>()
        ));
        services.AddSingleton<KeyBroadcast>();
        services.TryAddSingleton<IApiKeyVerifier>(provider => new RemoteApiKeyVerifier(
            PeerClient.Create(provider, "merchant"),
            provider.GetRequiredService<SharedVerdicts>(),
            provider.GetRequiredService<KeyRulings>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<RemoteApiKeyVerifier>>()
        ));
        services
            .AddAuthentication()
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.Scheme, null)
            .AddScheme<AuthenticationSchemeOptions, PersonAuthentication>(PersonAuthentication.Scheme, null)
            .AddJwtBearer(OperatorScheme);
        services
            .AddOptions<JwtBearerOptions>(OperatorScheme)
            .Configure<OperatorKeys>(
                (jwt, keys) =>
                {
                    jwt.MapInboundClaims = false;
                    jwt.Events = claims.Events();
                    jwt.TokenValidationParameters = new TokenValidationParameters
                    {
                        ValidIssuer = issuer.Issuer,
                        ValidAudience = issuer.Audience,
                        ValidAlgorithms = [SecurityAlgorithms.EcdsaSha256, SecurityAlgorithms.RsaSha256],
                        IssuerSigningKeyResolver = (_, _, kid, _) => keys.Find(kid),
                        RoleClaimType = OperatorClaims.Role,
                        ClockSkew = ClockSkew,
                    };
                }
            );
        var authorization = services
            .AddAuthorizationBuilder()
            .AddPolicy(
                MerchantPolicy,
                policy =>
                    policy
                        .AddAuthenticationSchemes(ApiKeyAuthentication.Scheme, PersonAuthentication.Scheme)
                        .RequireAuthenticatedUser()
            );
        for (var i = 0; i < Roles.Length; i++)
        {
            var sufficient = Roles[i..];
            authorization.AddPolicy(
                Roles[i],
                policy => policy.AddAuthenticationSchemes(OperatorScheme).RequireClaim(OperatorClaims.Role, sufficient)
            );
        }
    }
}
