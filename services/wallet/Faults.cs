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

    public static readonly Fault MemberExists = new("member_exists", 409, "The person is a member of the programme");
    public static readonly Fault MemberState = new("member_state", 409, "The membership's state does not allow this");
    public static readonly Fault ProgramState = new("program_state", 409, "The programme's state does not allow this");
    public static readonly Fault AcceptanceState = new(
        "acceptance_state",
        409,
        "The offer's state does not allow this"
    );
    public static readonly Fault AcceptanceChanged = new("acceptance_changed", 409, "The offer is another one now");
    public static readonly Fault CurrencyMismatch = new("currency_mismatch", 422, "The currencies differ");

    /// <summary>A body that has the right shape but a value that can not be.</summary>
    public static FaultException Invalid(string pointer, string detail) =>
        new(CommonFaults.InvalidRequest, detail, new FieldError(pointer, "invalid"));
}
