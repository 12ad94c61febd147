using System.Buffers.Binary;

namespace LocalPlus.Notification.Events;

/// <summary>
/// How long events are kept, and between which ids those of a time lie: an id begins with the instant when it was made,
/// which is about the one when it happened. The exact instant is a column; ids tell which days to look in.
/// </summary>
internal static class KeptTime
{
    public static readonly TimeSpan Life = TimeSpan.FromDays(30);
    private static readonly TimeSpan Margin = TimeSpan.FromDays(1);

    public static Guid FirstId(DateTimeOffset from) =>
        from < DateTimeOffset.UnixEpoch + Margin ? Guid.Empty : IdAt(from - Margin);

    public static Guid LastId(DateTimeOffset until) =>
        until > DateTimeOffset.MaxValue - Margin ? Guid.AllBitsSet : IdAt(until + Margin);

    private static Guid IdAt(DateTimeOffset instant)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, instant.ToUnixTimeMilliseconds() << 16);
        return new Guid(bytes, bigEndian: true);
    }
}
