using System.Security.Cryptography;
using Dapper;
using LocalPlus.Hosting;
using LocalPlus.Ledger.Proof;
using LocalPlus.Tests.Integration.Support;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>
/// A ledger's database with the log's parts around it and no service: a test writes transactions and calls rounds.
/// </summary>
public sealed class LogDatabase : IAsyncLifetime
{
    private TestDatabase database = null!;
    private IConfiguration configuration = null!;

    public NpgsqlDataSource Source { get; private set; } = null!;

    public string CheckpointPath { get; } =
        Path.Combine(Path.GetTempPath(), $"checkpoints-{Guid.CreateVersion7():N}.txt");

    public string SuperuserConnectionString => database.SuperuserConnectionString;

    public string OwnerConnectionString => database.OwnerConnectionString;

    internal Database Database { get; private set; } = null!;

    internal LogTree Tree => new(Database);

    internal CheckpointFile Checkpoints => new(configuration, Database);

    public async Task InitializeAsync()
    {
        database = await TestDatabase.CreateAsync("ledger", typeof(LocalPlus.Ledger.Faults).Assembly);
        TypeHandlers.Register();
        // Planned as in the service.
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            Options = "-c plan_cache_mode=force_generic_plan",
            MaxAutoPrepare = 100,
            AutoPrepareMinUsages = 2,
        };
        Source = NpgsqlDataSource.Create(connection);
        Database = new Database(Source, new OutboxSignal(), TimeProvider.System);
        configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["Secrets:checkpoint_key"] = RunningService.CheckpointKey,
                    ["LP_CHECKPOINTS"] = CheckpointPath,
                }
            )
            .Build();
    }

    public async Task DisposeAsync()
    {
        await Source.DisposeAsync();
        await database.DisposeAsync();
        File.Delete(CheckpointPath);
    }

    /// <summary>A sequencer, as each replica has one.</summary>
    internal Sequencer NewSequencer() =>
        new(
            Database,
            Tree,
            new LogKey(new CheckpointKeys(configuration), configuration),
            Checkpoints,
            TimeProvider.System,
            NullLogger<Sequencer>.Instance
        );

    /// <summary>Adds transactions (their rows alone) to an open database transaction.</summary>
    public static async Task<Guid[]> AddAsync(NpgsqlConnection connection, int count, DateTimeOffset? at = null)
    {
        var ids = Enumerable
            .Range(0, count)
            .Select(_ => Guid.CreateVersion7(at ?? TimeProvider.System.GetUtcNow()))
            .ToArray();
        await connection.ExecuteAsync(
            """
            INSERT INTO transactions (transaction_id, merchant_id, kind, effective_at, recorded_at, leaf_hash)
            SELECT id, id, 'load', now(), now(), sha256(id::text::bytea) FROM unnest(@Ids) AS t (id)
            """,
            new { Ids = ids }
        );
        return ids;
    }

    public async Task<Guid[]> CommitAsync(int count)
    {
        await using var connection = await Source.OpenConnectionAsync();
        return await AddAsync(connection, count);
    }

    public Task AnalyzeAsync() => database.AsOwnerAsync("ANALYZE transactions, log_leaves");

    /// <summary>
    /// Blocks of the transactions and the leaves, their indexes included, that were looked at since the beginning.
    /// </summary>
    public async Task<long> BlocksReadAsync()
    {
        // A connection tells what it did when it ends.
        Source.Clear();
        await Eventually.TrueAsync(async () =>
            await database.ScalarAsync<long>(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
            ) == 0
        );
        return await database.ScalarAsync<long>(
            """
            SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint
              FROM pg_statio_user_tables
             WHERE relname IN ('transactions', 'log_leaves')
            """
        );
    }

    /// <summary>Runs rounds until one finds nothing.</summary>
    internal static async Task<int> DrainAsync(Sequencer sequencer)
    {
        var total = 0;
        while (await sequencer.SequenceAsync(default) is > 0 and var added)
        {
            total += added;
        }

        return total;
    }

    public async Task<Guid[]> LoggedAsync()
    {
        await using var connection = await Source.OpenConnectionAsync();
        return [.. await connection.QueryAsync<Guid>("SELECT transaction_id FROM log_leaves ORDER BY leaf_index")];
    }

    /// <summary>
    /// Fails unless the leaves have no gap, every stored node and every checkpoint is what the leaves say.
    /// </summary>
    public async Task AssertSoundAsync()
    {
        await using var connection = await Source.OpenConnectionAsync();
        var leaves = (
            await connection.QueryAsync<(long Index, byte[] Hash)>(
                "SELECT leaf_index, leaf_hash FROM log_leaves ORDER BY leaf_index"
            )
        ).AsList();
        var nodes = (
            await connection.QueryAsync<(short Level, long Index, byte[] Hash)>(
                "SELECT level, node_index, hash FROM log_nodes"
            )
        ).ToDictionary(n => new Node(n.Level, n.Index), n => n.Hash);
        var checkpoints = (
            await connection.QueryAsync<(long Size, byte[] Root, string Note)>(
                "SELECT size, root, note FROM log_checkpoints"
            )
        ).ToDictionary(c => c.Size);
        using var key = ECDsa.Create();
        key.ImportPkcs8PrivateKey(Convert.FromBase64String(RunningService.CheckpointKey), out _);
        var (frontier, stored) = (new Frontier(), 0);
        foreach (var (index, hash) in leaves)
        {
            Assert.Equal(frontier.Size, index);
            frontier.Append(
                hash,
                (node, inner) =>
                {
                    if (LogTree.IsStored(node.Level))
                    {
                        stored++;
                        Assert.Equal(inner, nodes[node]);
                    }
                }
            );
            if (checkpoints.Remove(frontier.Size, out var checkpoint))
            {
                Assert.Equal(frontier.Root(), checkpoint.Root);
                Assert.True(Checkpoint.Parse(checkpoint.Note)!.IsSignedBy(key));
            }
        }

        Assert.Equal(stored, nodes.Count);
        Assert.Empty(checkpoints);
    }
}
