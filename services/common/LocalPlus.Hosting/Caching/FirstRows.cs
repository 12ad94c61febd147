namespace LocalPlus.Hosting;

/// <summary>
/// The beginning of a list as caches keep it: one row more than the page that is given to who asks for none in
/// particular. What is beyond is asked of the source.
/// </summary>
public sealed record FirstRows<T>(IReadOnlyList<T> Rows)
{
    public const int Count = CursorCodec.DefaultLimit + 1;

    /// <summary>Whether a page begins where the list does, and is no longer than what is kept.</summary>
    public static bool Have(int limit, string? cursor) => cursor is null && limit < Count;

    /// <summary>One row more than the page, if there is one.</summary>
    public IReadOnlyList<T> For(int limit) => [.. Rows.Take(limit + 1)];
}
