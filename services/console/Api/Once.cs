namespace LocalPlus.Console.Api;

/// <summary>
/// The name of one act of a person (an Idempotency-Key): a form has it from the moment it is shown, so that pressed
/// twice, or sent again by the browser, it does what it does once and shows the same answer.
/// </summary>
public sealed record Once(string Key)
{
    /// <summary>The name of the hidden field.</summary>
    public const string Field = "once";

    public static Once New(TimeProvider time) => new(Guid.CreateVersion7(time.GetUtcNow()).ToString());

    public static Once Of(string field) =>
        Guid.TryParse(field, out var key)
            ? new(key.ToString())
            : throw new BadHttpRequestException("The form lacks the name of its act.");
}
