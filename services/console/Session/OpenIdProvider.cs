namespace LocalPlus.Console.Session;

/// <summary>Where people sign in.</summary>
/// <param name="Metadata">The provider's discovery document.</param>
/// <param name="Client">What the console is called there: a public client, for PKCE needs no secret.</param>
internal sealed record OpenIdProvider(Uri Metadata, string Client)
{
    private const string Discovery = ".well-known/openid-configuration";
    private const string Variable = "LP_OIDC_PROVIDER";

    public bool IsSecure => Metadata.Scheme == Uri.UriSchemeHttps;

    /// <summary>The origin that a form's answer may lead to: signing out ends there.</summary>
    public string Origin => Metadata.GetLeftPart(UriPartial.Authority);

    /// <summary>Throws where none is named, and in production for one without TLS.</summary>
    public static OpenIdProvider From(IConfiguration configuration, IHostEnvironment environment)
    {
        var named = configuration[Variable];
        if (
            !Uri.TryCreate(named, UriKind.Absolute, out var address)
            || (environment.IsProduction() && address.Scheme != Uri.UriSchemeHttps && !address.IsLoopback)
        )
        {
            throw new InvalidOperationException(
                $"{Variable} is not set to the https address of the provider at which people sign in."
            );
        }

        var folder = new Uri(address.AbsoluteUri.TrimEnd('/') + "/");
        return new(new Uri(folder, Discovery), configuration["LP_OIDC_CLIENT"] ?? "console");
    }
}
