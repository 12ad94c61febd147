using System.Buffers.Binary;

namespace LocalPlus.Merchant.Requests;

/// <summary>
/// How long requests are kept, and between which ids those of a time lie: an id begins with the millisecond of its
/// request.
/// </summary>
internal static class LoggedTime
{
    public static readonly TimeSpan Life = TimeSpan.FromDays(30);

    /// <summary>No id of then or later is less than this one, and none of before is greater.</summary>
    public static Guid FirstId(DateTimeOffset at)
    {
        Span<byte> bytes = stackalloc byte[16];
        // What is before the epoch is before every request.
        BinaryPrimitives.WriteInt64BigEndian(bytes, Math.Max(0, at.ToUnixTimeMilliseconds()) << 16);
        return new Guid(bytes, bigEndian: true);
    }
}
