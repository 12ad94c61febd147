using System.Security.Cryptography;
using LocalPlus.Hosting;
using LocalPlus.Kernel;

namespace LocalPlus.Wallet.Keys;

/// <summary>
/// Which version of pii_key is the newest; the database says so, for all replicas alike. A key that comes to the front
/// of the secret becomes the next version. From then on nobody writes an older one (ADR 0068).
/// </summary>
internal sealed class PiiVersions(
    Database database,
    PiiKeyring keyring,
    SecretEntry secrets,
    TimeProvider time,
    ILogger<PiiVersions> log
)
{
    private volatile PiiVersion? known;

    /// <summary>For what is written in the transaction: no newer version begins before it ends.</summary>
    public async Task<PiiVersion> ForWritingAsync(DbSession db)
    {
        var last = await BeginAsync(db.Cancel);
        return await db.QuerySingleAsync<short>($"{Sql.Hold}; {Sql.Newest}") == last.Number
            ? last
            : await LookAsync(db);
    }

    /// <summary>
    /// What <paramref name="find"/> finds; it is asked again when what was not found may be under a version that this
    /// replica has not heard of.
    /// </summary>
    public async Task<T?> FindAsync<T>(DbSession db, Func<PiiVersion, Task<T?>> find)
        where T : class
    {
        var version = await BeginAsync(db.Cancel);
        while (true)
        {
            if (await find(version) is { } found)
            {
                return found;
            }

            var newest = await LookAsync(db);
            if (newest.Number == version.Number)
            {
                return null;
            }

            version = newest;
        }
    }

    /// <summary>
    /// The newest version, which the secret's first key becomes unless it is one already, of before too.
    /// </summary>
    public async Task<PiiVersion> TurnAsync(CancellationToken cancel)
    {
        await BeginAsync(cancel);
        var first = keyring.First;
        await using (var db = await database.BeginAsync(cancel))
        {
            if ((await db.QueryAsync<Row>(Sql.All)).Any(row => first.Is(row.KeyId)))
            {
                return await LookAsync(db);
            }

            // Until here an older version may have been written, and what is written after it waits.
            await db.ExecuteAsync(Sql.Close);
            var rows = await db.QueryAsync<Row>(Sql.All);
            if (!rows.Any(row => first.Is(row.KeyId)))
            {
                var links = Links(rows, await NewestKeyAsync(rows, cancel));
                await AddAsync(db, first, [.. links, RandomNumberGenerator.GetBytes(AesBox.KeyLength)]);
                await db.CommitAsync();
            }
        }

        var newest = await LookAsync(cancel);
        log.PiiVersionBegun(newest.Number);
        return newest;
    }

    /// <summary>Nothing is left of a version before this one.</summary>
    public async Task FinishAsync(PiiVersion version, CancellationToken cancel)
    {
        await using (var db = await database.BeginAsync(cancel))
        {
            await db.ExecuteAsync(Sql.Finish, new { Version = (short)version.Number, Now = time.GetUtcNow() });
            await db.CommitAsync();
        }

        await LookAsync(cancel);
        log.PiiVersionAlone(version.Number);
    }

    /// <summary>The first version is that of the key that was in use before there were versions.</summary>
    private async Task<PiiVersion> BeginAsync(CancellationToken cancel)
    {
        if (known is { } last)
        {
            return last;
        }

        // Keys are no merchant's; and any person's tells.
        using var all = RowSecurity.ForAll();
        await using (var db = await database.BeginAsync(cancel))
        {
            if ((await db.QueryAsync<Row>(Sql.All)).Count == 0)
            {
                await db.ExecuteAsync(Sql.Close);
                if ((await db.QueryAsync<Row>(Sql.All)).Count == 0)
                {
                    var first = await KeyInUseAsync(db);
                    await AddAsync(db, first, [first.FirstLookup]);
                    await db.CommitAsync();
                }
            }
        }

        return await LookAsync(cancel);
    }

    private async Task<PiiVersion> LookAsync(CancellationToken cancel)
    {
        await using var db = await database.BeginAsync(cancel);
        return await LookAsync(db);
    }

    private async Task<PiiKey> KeyInUseAsync(DbSession db) =>
        await db.QuerySingleOrDefaultAsync<Wrapped>(Sql.AnyKey) is { } sample
            ? keyring.Keys.FirstOrDefault(key => key.Unwrap(sample.CustomerId, sample.WrappedKey) is not null)
                ?? throw new InvalidOperationException("No key of pii_key opens what service wallet has stored.")
            : keyring.First;

    /// <summary>Reads what there is, and remembers it.</summary>
    private async Task<PiiVersion> LookAsync(DbSession db)
    {
        var rows = await db.QueryAsync<Row>(Sql.All);
        var newest = await NewestKeyAsync(rows, db.Cancel);
        var oldest = rows.Last(row => row.IsFinished).Version;
        keyring.Need([.. rows.Where(row => row.Version >= oldest).Select(row => row.KeyId)]);
        return known = new(newest, Links(rows, newest), (byte)oldest);
    }

    private async Task<PiiKey> NewestKeyAsync(IReadOnlyList<Row> rows, CancellationToken cancel)
    {
        var id = rows[^1].KeyId;
        if (keyring.Find(id) is { } key)
        {
            return key;
        }

        // Another replica has read the secret before this one.
        await secrets.RefreshAsync(cancel);
        return keyring.Find(id)
            ?? throw new InvalidOperationException(
                $"The secret pii_key of service wallet lacks the key of version {rows[^1].Version}."
            );
    }

    private static byte[][] Links(IReadOnlyList<Row> rows, PiiKey newest) =>
        [
            .. rows.Select(row =>
                newest.UnwrapLookup(row.Version, row.LookupKey)
                ?? throw new CryptographicException($"What version {row.Version} of pii_key hashes with was changed.")
            ),
        ];

    /// <summary>Everything that hashes is wrapped by the newest key alone.</summary>
    private Task<int> AddAsync(DbSession db, PiiKey newest, IReadOnlyList<byte[]> links) =>
        db.ExecuteAsync(
            Sql.Add,
            new
            {
                Version = (short)checked((byte)links.Count),
                KeyId = newest.Id,
                Versions = links.Select((_, i) => (short)(i + 1)).ToArray(),
                LookupKeys = links.Select((link, i) => newest.WrapLookup((short)(i + 1), link)).ToArray(),
                LookupKey = newest.WrapLookup((short)links.Count, links[^1]),
                Now = time.GetUtcNow(),
            }
        );

    private sealed record Row(short Version, byte[] KeyId, byte[] LookupKey, bool IsFinished);

    private sealed record Wrapped(CustomerId CustomerId, byte[] WrappedKey);

    private static class Sql
    {
        public const string All = """
            SELECT version, key_id, lookup_key, finished_at IS NOT NULL AS is_finished
              FROM pii_keys
             ORDER BY version
            """;

        public const string Hold = "LOCK TABLE pii_keys IN ROW SHARE MODE";

        public const string Newest = """
            SELECT version
              FROM pii_keys
             ORDER BY version DESC
             LIMIT 1
            """;

        // Waits for those who hold; whoever comes after waits for this, so it gives up before they do.
        public const string Close = """
            SET LOCAL lock_timeout = '500ms';
            LOCK TABLE pii_keys IN EXCLUSIVE MODE
            """;

        public const string AnyKey = """
            SELECT customer_id, wrapped_key
              FROM subject_keys
             ORDER BY customer_id
             LIMIT 1
            """;

        // There is nothing before the first version.
        public const string Add = """
            UPDATE pii_keys k
               SET lookup_key = n.lookup_key
              FROM unnest(@Versions::smallint[], @LookupKeys::bytea[]) AS n (version, lookup_key)
             WHERE k.version = n.version;
            INSERT INTO pii_keys (version, key_id, lookup_key, made_at, finished_at)
            VALUES (@Version, @KeyId, @LookupKey, @Now, CASE WHEN @Version = 1 THEN @Now::timestamptz END)
            """;

        public const string Finish = """
            UPDATE pii_keys
               SET finished_at = @Now
             WHERE version = @Version
               AND finished_at IS NULL
            """;
    }
}
