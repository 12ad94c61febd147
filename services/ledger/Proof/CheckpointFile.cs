using System.Text;
using LocalPlus.Hosting;

namespace LocalPlus.Ledger.Proof;

/// <summary>
/// The checkpoints in a file outside the database (LP_CHECKPOINTS; none when unset), so that whoever can rewrite the
/// database can not rewrite what it once said. Signed notes one after the other, an empty line behind each. A crash may
/// tear the last one; it is cut off and written again from the table.
/// </summary>
internal sealed class CheckpointFile(IConfiguration configuration, Database database)
{
    private const int PageSize = 1000;
    private readonly string? path = configuration["LP_CHECKPOINTS"] is { Length: > 0 } given ? given : null;
    private long? written;

    /// <summary>All checkpoints of a file, in the order in which they were signed.</summary>
    public static IEnumerable<Checkpoint> Read(string path)
    {
        var note = new StringBuilder();
        foreach (var line in File.ReadLines(path))
        {
            if (line.Length == 0 && Checkpoint.Parse(note.ToString()) is { } whole)
            {
                yield return whole;
                note.Clear();
            }
            else
            {
                note.Append(line).Append('\n');
            }
        }
    }

    /// <summary>The last whole checkpoint in the file; null when there is none.</summary>
    public Checkpoint? Last() => path is not null && File.Exists(path) ? Read(path).LastOrDefault() : null;

    /// <summary>Appends what was signed since, by this replica or another, and flushes it to the disk.</summary>
    public async Task CatchUpAsync(CancellationToken cancel)
    {
        if (path is null)
        {
            return;
        }

        written ??= Mend(path);
        for (var full = true; full; )
        {
            var rows = await database.QueryAsync<Row>(Sql.Since, new { Size = written, Limit = PageSize }, cancel);
            full = rows.Count == PageSize;
            if (rows.Count > 0)
            {
                await using var file = new FileStream(path, FileMode.Append);
                await file.WriteAsync(
                    Encoding.UTF8.GetBytes(string.Concat(rows.Select(row => row.Note + "\n"))),
                    cancel
                );
                file.Flush(flushToDisk: true);
                written = rows[^1].Size;
            }
        }
    }

    /// <summary>Cuts a torn end off; the size of the last checkpoint, 0 when there is none.</summary>
    private static long Mend(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var (last, end) = (0L, 0L);
        foreach (var checkpoint in Read(path))
        {
            last = checkpoint.Size;
            end += Encoding.UTF8.GetByteCount(checkpoint.Note) + 1;
        }

        file.SetLength(end);
        return last;
    }

    private sealed record Row(long Size, string Note);

    private static class Sql
    {
        public const string Since = """
            SELECT size, note
              FROM log_checkpoints
             WHERE size > @Size
             ORDER BY size
             LIMIT @Limit
            """;
    }
}
