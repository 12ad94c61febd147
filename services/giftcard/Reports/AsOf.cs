using LocalPlus.Kernel;

namespace LocalPlus.Giftcard.Reports;

/// <summary>The instant a report is about.</summary>
internal static class AsOf
{
    /// <summary>Now, unless another instant is asked for; the future is refused.</summary>
    public static DateTimeOffset Check(DateTimeOffset? asked, TimeProvider time, string name = "as_of")
    {
        var now = time.GetUtcNow();
        return asked is not { } instant ? now
            : instant <= now ? instant.ToUniversalTime()
            : throw new FaultException(
                CommonFaults.InvalidRequest,
                "A report is about the past.",
                new FieldError(name, "future")
            );
    }
}
