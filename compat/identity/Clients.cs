using OpenIddict.Abstractions;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace LocalPlus.Identity;

/// <summary>Who may ask for tokens: the console in the browser, and the command line tool.</summary>
internal static class Clients
{
    public const string Audience = "localplus";
    public const string Console = "console";
    public const string CommandLine = "cli";

    public static async Task RegisterAsync(IServiceProvider services, Settings settings)
    {
        await using var scope = services.CreateAsyncScope();
        var known = scope.ServiceProvider.GetRequiredService<IOpenIddictApplicationManager>();
        await known.CreateAsync(OfConsole(settings.Base));
        await known.CreateAsync(OfCommandLine());
    }

    /// <summary>Authorisation code with PKCE; nothing that would have to be kept secret.</summary>
    private static OpenIddictApplicationDescriptor OfConsole(Uri application) =>
        new()
        {
            ClientId = Console,
            ClientType = ClientTypes.Public,
            ConsentType = ConsentTypes.Implicit,
            DisplayName = "LocalPlus console",
            RedirectUris = { new Uri(application, "/console/signed-in") },
            PostLogoutRedirectUris = { new Uri(application, "/console/signed-out") },
            Permissions =
            {
                Permissions.Endpoints.Authorization,
                Permissions.Endpoints.EndSession,
                Permissions.Endpoints.Token,
                Permissions.GrantTypes.AuthorizationCode,
                Permissions.GrantTypes.RefreshToken,
                Permissions.ResponseTypes.Code,
                Permissions.Scopes.Email,
                Permissions.Scopes.Profile,
            },
            Requirements = { Requirements.Features.ProofKeyForCodeExchange },
        };

    /// <summary>Device code: the browser may be on another machine than the terminal.</summary>
    private static OpenIddictApplicationDescriptor OfCommandLine() =>
        new()
        {
            ClientId = CommandLine,
            ClientType = ClientTypes.Public,
            ConsentType = ConsentTypes.Implicit,
            DisplayName = "./localplus",
            Permissions =
            {
                Permissions.Endpoints.DeviceAuthorization,
                Permissions.Endpoints.Token,
                Permissions.GrantTypes.DeviceCode,
                Permissions.GrantTypes.RefreshToken,
                Permissions.Scopes.Email,
                Permissions.Scopes.Profile,
            },
        };
}
