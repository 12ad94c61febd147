namespace LocalPlus.Console;

/// <summary>What an installation says about itself.</summary>
/// <param name="Environment">Shown as a stripe on every page, so that nobody takes production for a playground.</param>
/// <param name="Address">Where browsers find it: what the gateway says of that is not believed.</param>
/// <param name="IsReadOnly">Nobody changes anything, whatever their role: for incidents and demonstrations.</param>
internal sealed record ConsoleSettings(string Environment, Uri Address, bool IsReadOnly)
{
    private const string AddressVariable = "LP_PUBLIC_URL";

    public static ConsoleSettings From(IConfiguration configuration) =>
        new(
            configuration["LP_ENVIRONMENT"] ?? "local",
            Uri.TryCreate(configuration[AddressVariable], UriKind.Absolute, out var address)
                ? address
                : throw new InvalidOperationException(
                    $"{AddressVariable} is not set to the address that browsers use."
                ),
            configuration.GetValue("LP_CONSOLE_READ_ONLY", false)
        );

    public bool IsSecure => Address.Scheme == Uri.UriSchemeHttps;

    public Uri At(string path) => new(Address, $"{ConsoleService.Root}/{path}");

    /// <summary>Refuses every form of an installation that is only to be looked at.</summary>
    public void RequireWritable()
    {
        if (IsReadOnly)
        {
            throw new Api.ApiRefusalException(
                StatusCodes.Status403Forbidden,
                "read_only",
                "This console is read only.",
                null
            );
        }
    }
}
