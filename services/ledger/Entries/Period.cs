using LocalPlus.Kernel;

namespace LocalPlus.Ledger.Entries;

/// <summary>A stretch of recorded time, from inclusive to exclusive; open ends reach as far as the books do.</summary>
internal readonly record struct Period(DateTimeOffset From, DateTimeOffset To)
{
    private static readonly DateTimeOffset End = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static Period Of(Instant? from, Instant? to)
    {
        var period = new Period(Clamp(from?.Value ?? DateTimeOffset.UnixEpoch), Clamp(to?.Value ?? End));
        return period.From <= period.To
            ? period
            : throw new FaultException(
                CommonFaults.InvalidRequest,
                "from is later than to.",
                new FieldError("from", "out_of_range")
            );
    }

    /// <summary>
    /// The end of an instant's millisecond: answers show no more, so what was recorded within it counts at the time
    /// that its answer shows.
    /// </summary>
    public static DateTimeOffset Whole(DateTimeOffset instant) =>
        instant.Ticks % TimeSpan.TicksPerMillisecond == 0
            ? instant.AddTicks(TimeSpan.TicksPerMillisecond - TimeSpan.TicksPerMicrosecond)
            : instant;

    /// <summary>Any instant, brought into the range that PostgreSQL and the books know.</summary>
    public static DateTimeOffset Clamp(DateTimeOffset instant) =>
        instant < DateTimeOffset.UnixEpoch ? DateTimeOffset.UnixEpoch
        : instant > End ? End
        : instant.ToUniversalTime();
}
