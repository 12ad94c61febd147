using LocalPlus.Kernel;

namespace LocalPlus.Wallet;

/// <summary>Collects everything that is wrong with a body, so that a caller mends it in one go.</summary>
internal sealed class FieldChecks
{
    private readonly List<FieldError> errors = [];

    public FieldChecks Text(string pointer, string? value, int maxLength)
    {
        if (value is null)
        {
            return this;
        }

        return Check(value.Length > 0 && !string.IsNullOrWhiteSpace(value), pointer, "empty")
            .Check(value.Length <= maxLength, pointer, "too_long")
            .Check(!value.Any(char.IsControl), pointer, "control_character");
    }

    public FieldChecks Check(bool holds, string pointer, string code)
    {
        if (!holds)
        {
            errors.Add(new FieldError(pointer, code));
        }

        return this;
    }

    /// <summary>400 invalid_request with every error found; nothing when all is well.</summary>
    public void Throw()
    {
        if (errors.Count > 0)
        {
            throw new FaultException(CommonFaults.InvalidRequest, "The body has fields that are not valid.", [.. errors]);
        }
    }
}
