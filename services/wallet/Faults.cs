using LocalPlus.Kernel;

namespace LocalPlus.Wallet;

/// <summary>
/// The refusals that only this service makes, in order of precedence; the shared ones are in CommonFaults.
/// </summary>
internal static class Faults
{
    public static readonly Fault CustomerExists = new(
        "customer_exists",
        409,
        "A customer with this e-mail address exists"
    );
}
