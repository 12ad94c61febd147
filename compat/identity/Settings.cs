namespace LocalPlus.Identity;

/// <summary>What the provider is told when it is started.</summary>
/// <param name="Port">On loopback, the only place where it listens.</param>
/// <param name="Issuer">What tokens say who made them; it need not be where the provider is reached.</param>
/// <param name="KeyFile">The ES256 key that signs, as PEM: services have its public half as a JWKS.</param>
/// <param name="Base">Where the browser finds the application: the address that it may be sent back to.</param>
internal sealed record Settings(int Port, Uri Issuer, string KeyFile, Uri Base)
{
    private const string Usage = "usage: LocalPlus.Identity --port PORT --issuer URL --key PEM --base URL";

    /// <summary>Throws <see cref="ArgumentException"/> with the usage when something is missing.</summary>
    public static Settings From(string[] args)
    {
        var words = new ConfigurationBuilder().AddCommandLine(args).Build();
        return
            int.TryParse(words["port"], out var port)
            && Uri.TryCreate(words["issuer"], UriKind.Absolute, out var issuer)
            && Uri.TryCreate(words["base"], UriKind.Absolute, out var application)
            && words["key"] is { Length: > 0 } key
            ? new(port, issuer, key, application)
            : throw new ArgumentException(Usage, nameof(args));
    }
}
