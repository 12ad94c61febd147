using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Notification.Events;

/// <summary>Where a reader of a feed is, as a cursor carries it: the ticks of an instant are the position.</summary>
internal static class FeedPosition
{
    public static string Write(CursorCodec cursors, long position, MerchantId merchant, string filters) =>
        cursors.Write(new Keyset(new DateTimeOffset(position, TimeSpan.Zero), Guid.Empty), merchant, filters);

    /// <summary>Null without a cursor.</summary>
    public static long? Read(CursorCodec cursors, string? cursor, MerchantId merchant, string filters) =>
        cursor is null ? null : cursors.Read(cursor, merchant, filters).CreatedAt.UtcTicks;
}
