using LocalPlus.Kernel;

namespace LocalPlus.Hosting;

/// <summary>Collects everything that is wrong with a body, so that its sender mends it in one go.</summary>
public sealed class FieldChecks
{
    private readonly List<FieldError> errors = [];

    /// <summary>Notes the field when the condition does not hold.</summary>
    public FieldChecks Require(bool holds, string pointer, string code = "out_of_range")
    {
        if (!holds)
        {
            errors.Add(new FieldError(pointer, code));
        }

        return this;
    }

    /// <summary>A text of one line that says something; null is for whoever else requires it.</summary>
    public FieldChecks Text(string? value, string pointer, int maxLength) =>
        Text(value, pointer, maxLength, mayBreakLines: false);

    /// <summary>A text that may have several lines.</summary>
    public FieldChecks Message(string? value, string pointer, int maxLength) =>
        Text(value, pointer, maxLength, mayBreakLines: true);

    /// <summary>A code as people paste it, with blanks and breaks that whoever reads it sheds.</summary>
    public FieldChecks Pasted(string? value, string pointer, int maxLength) =>
        Text(value, pointer, maxLength, mayBreakLines: true);

    /// <summary>A name, as long as names are everywhere.</summary>
    public FieldChecks Name(string? value, string pointer = "/name") => Text(value, pointer, Texts.NameLength);

    /// <summary>An e-mail address that mail can be sent to.</summary>
    public FieldChecks Email(string? value, string pointer) =>
        Require(value is null || EmailAddress.TryParse(value, out _), pointer, "invalid");

    /// <summary>An amount above nothing; null is for whoever else requires it.</summary>
    public FieldChecks Positive(Money? value, string pointer) => Require(value is null or { MinorUnits: > 0 }, pointer);

    /// <summary>400 invalid_request with every error found; nothing when all is well.</summary>
    public void ThrowIfAny()
    {
        if (errors.Count > 0)
        {
            throw new FaultException(
                CommonFaults.InvalidRequest,
                "The body has fields that are not valid.",
                [.. errors]
            );
        }
    }

    private FieldChecks Text(string? value, string pointer, int maxLength, bool mayBreakLines)
    {
        if (value is null)
        {
            return this;
        }

        var problem = Texts.Problem(value, mayBreakLines);
        return Require(!string.IsNullOrWhiteSpace(value), pointer, "empty")
            .Require(value.Length <= maxLength, pointer, "too_long")
            .Require(problem is null, pointer, problem ?? "");
    }
}
