using System.Globalization;

namespace LocalPlus.Hosting;

/// <summary>
/// The day under which what belongs to an Idempotency-Key is filed, in tables that are partitioned by day. A key that
/// is or begins with a UUIDv7 says when it was made: it is filed under that instant, so an equal request finds it in
/// one place, and the place's unique index alone keeps two from being carried out. Any other key, or one whose clock is
/// off, is filed under the present and looked for everywhere: who does so holds a lock on the key.
/// </summary>
/// <param name="At">Where to file.</param>
/// <param name="From">Where to look from.</param>
/// <param name="Until">And until when, this instant too.</param>
/// <param name="IsPlaced">Equal requests file under the same instant; no lock is needed.</param>
public readonly record struct KeyFile(DateTimeOffset At, DateTimeOffset From, DateTimeOffset Until, bool IsPlaced)
{
    /// <summary>How far a key's clock may be off for it to be looked for under its own instant.</summary>
    public static readonly TimeSpan Near = TimeSpan.FromDays(1);

    /// <summary>
    /// How far the clocks of replicas may differ: where one still looks everywhere, another files already.
    /// </summary>
    public static readonly TimeSpan Skew = TimeSpan.FromHours(1);

    /// <summary>
    /// A key of a time to come is filed there, for it will be looked for there; beyond this, nobody is promised that it
    /// is known any more when that time has come.
    /// </summary>
    public static readonly TimeSpan Ahead = TimeSpan.FromDays(60);

    private const int CompactLength = 32;
    private const int DashedLength = 36;
    private const int VersionAt = 6;
    private const int VariantAt = 8;
    private const int MillisecondBytes = 6;

    /// <summary>As of <paramref name="now"/>, to the microsecond that PostgreSQL keeps.</summary>
    public static KeyFile Of(string key, DateTimeOffset now) => Of(MadeAt(key), now);

    public static KeyFile Of(DateTimeOffset? madeAt, DateTimeOffset now)
    {
        if (madeAt is not { } made || made < now - Near - Skew || made > now + Ahead)
        {
            return new(now, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, false);
        }

        return made >= now - Near && made <= now + Near
            ? new(made, made - Near, (made > now ? made : now) + Skew, true)
            : new(made, DateTimeOffset.MinValue, DateTimeOffset.MaxValue, false);
    }

    /// <summary>
    /// When the key says it was made, if it is a UUIDv7 or one of our ids ("red_…"), whatever follows after a colon or
    /// on a second line (a bulk's items).
    /// </summary>
    public static DateTimeOffset? MadeAt(string key)
    {
        var text = key.AsSpan();
        text = text.LastIndexOfAny(':', '\n') is var tail and >= CompactLength ? text[..tail] : text;
        text = text[(text.LastIndexOfAny('_', ':') + 1)..];
        Span<byte> bytes = stackalloc byte[16];
        if (
            text.Length is not (CompactLength or DashedLength)
            || !Guid.TryParseExact(text, text.Length == CompactLength ? "N" : "D", out var id)
            || !id.TryWriteBytes(bytes, bigEndian: true, out _)
            || bytes[VersionAt] >> 4 != 7
            || bytes[VariantAt] >> 6 != 2
        )
        {
            return null;
        }

        var milliseconds = long.Parse(
            Convert.ToHexString(bytes[..MillisecondBytes]),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture
        );
        return milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds()
            ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds)
            : null;
    }
}
