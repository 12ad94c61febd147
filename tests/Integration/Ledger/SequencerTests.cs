using Dapper;
using LocalPlus.Cli.Proof;
using LocalPlus.Ledger;
using LocalPlus.Ledger.Proof;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

public sealed class SequencerTests(LogDatabase log) : IClassFixture<LogDatabase>
{
    [Fact]
    public async Task A_commit_that_comes_late_with_an_older_id_still_gets_its_place()
    {
        var sequencer = log.NewSequencer();
        await LogDatabase.DrainAsync(sequencer);
        await using var slow = await log.Source.OpenConnectionAsync();
        await using var open = await slow.BeginTransactionAsync();
        var late = await LogDatabase.AddAsync(slow, 3, TimeProvider.System.GetUtcNow().AddHours(-1));
        var early = await log.CommitAsync(5);

        Assert.Equal(5, await LogDatabase.DrainAsync(sequencer));
        Assert.Equal(0, await LogDatabase.DrainAsync(sequencer));
        await open.CommitAsync();
        Assert.Equal(3, await LogDatabase.DrainAsync(sequencer));

        Assert.Equal(
            [.. early.Order(), .. late.Order()],
            (await log.LoggedAsync())[^8..].Take(5).Order().Concat((await log.LoggedAsync())[^3..].Order())
        );
        await log.AssertSoundAsync();
    }

    [Fact]
    public async Task A_rollback_leaves_no_gap()
    {
        var sequencer = log.NewSequencer();
        await using (var connection = await log.Source.OpenConnectionAsync())
        {
            await using var undone = await connection.BeginTransactionAsync();
            await LogDatabase.AddAsync(connection, 3);
            await log.CommitAsync(2);
            await undone.RollbackAsync();
        }

        await LogDatabase.DrainAsync(sequencer);

        await log.AssertSoundAsync();
    }

    [Fact]
    public async Task One_database_transaction_larger_than_a_round_is_taken_whole()
    {
        var sequencer = log.NewSequencer();
        await LogDatabase.DrainAsync(sequencer);
        var ids = await log.CommitAsync((4 * LedgerLimits.LeavesPerRound) + 7);
        var more = await log.CommitAsync(3);

        Assert.Equal(ids.Length + more.Length, await LogDatabase.DrainAsync(sequencer));

        Assert.Subset((await log.LoggedAsync()).ToHashSet(), ids.Concat(more).ToHashSet());
        await log.AssertSoundAsync();
    }

    [Fact]
    public async Task A_round_costs_the_same_however_long_the_log_is()
    {
        const int rounds = 10;
        const int blocksPerRound = 100;
        const int attempts = 5;
        await LogDatabase.DrainAsync(log.NewSequencer());
        for (var i = 0; i < 10; i++)
        {
            await log.CommitAsync(LedgerLimits.LeavesPerRound / 2);
        }

        await LogDatabase.DrainAsync(log.NewSequencer());
        await log.AnalyzeAsync();
        var sequencer = log.NewSequencer();

        // A transaction of another database of this server holds the cursor back, and a round then looks twice; what
        // grew with the log would do so in each attempt.
        var least = long.MaxValue;
        for (var attempt = 0; attempt < attempts && least > rounds * blocksPerRound; attempt++)
        {
            least = Math.Min(least, await BlocksOfAsync(sequencer, rounds));
        }

        Assert.InRange(least, 1, rounds * blocksPerRound);
    }

    [Fact]
    public async Task Only_one_leads_a_round()
    {
        var sequencer = log.NewSequencer();
        await LogDatabase.DrainAsync(sequencer);
        var ids = await log.CommitAsync(2);
        await using var other = await log.Source.OpenConnectionAsync();
        await using var leading = await other.BeginTransactionAsync();
        await other.ExecuteAsync("SELECT pg_advisory_xact_lock(@LockKey)", new { Sequencer.LockKey });

        Assert.Equal(0, await sequencer.SequenceAsync(default));
        await leading.RollbackAsync();

        Assert.Equal(ids.Length, await sequencer.SequenceAsync(default));
    }

    [Fact]
    public async Task Many_writers_and_sequencers_that_are_cut_off_mid_round_lose_nothing_and_repeat_nothing()
    {
        using var stop = new CancellationTokenSource();
        var sequencers = Enumerable.Range(0, 3).Select(_ => Task.Run(() => LeadAsync(stop.Token))).ToArray();
        var killer = Task.Run(() => CutOffAsync(stop.Token));
        var written = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(writer => Task.Run(() => WriteAsync(new Random(writer))))
        );
        await stop.CancelAsync();
        await Task.WhenAll([killer, .. sequencers]);

        await LogDatabase.DrainAsync(log.NewSequencer());

        var logged = await log.LoggedAsync();
        Assert.Equal(logged.Length, logged.Distinct().Count());
        Assert.Subset(logged.ToHashSet(), written.SelectMany(ids => ids).ToHashSet());
        await using var connection = await log.Source.OpenConnectionAsync();
        Assert.Equal(logged.Length, await connection.ExecuteScalarAsync<long>("SELECT count(*) FROM transactions"));
        await log.AssertSoundAsync();
    }

    [Fact]
    public async Task Proofs_from_stored_nodes_verify_and_cost_few_rows()
    {
        await log.CommitAsync(700);
        await LogDatabase.DrainAsync(log.NewSequencer());
        await using var connection = await log.Source.OpenConnectionAsync();
        var hashes = (
            await connection.QueryAsync<byte[]>("SELECT leaf_hash FROM log_leaves ORDER BY leaf_index")
        ).AsList();
        var size = hashes.Count;
        var root = (await log.Tree.HashesAsync([new LeafRange(0, size)], default))[0];

        foreach (var leaf in Enumerable.Range(0, size).Where(i => i % 37 == 0).Append(size - 1))
        {
            Assert.Equal(
                root,
                MerkleProof.RootOf(
                    hashes[leaf],
                    leaf,
                    size,
                    await log.Tree.HashesAsync(Merkle.InclusionPath(leaf, size), default)
                )
            );
            var old = (await log.Tree.HashesAsync([new LeafRange(0, leaf + 1)], default))[0];
            Assert.True(
                MerkleProof.IsContinued(
                    leaf + 1,
                    old,
                    size,
                    root,
                    await log.Tree.HashesAsync(Merkle.ConsistencyPath(leaf + 1, size), default)
                )
            );
        }
    }

    [Fact]
    public async Task The_file_gets_every_checkpoint_once_and_a_torn_end_is_mended()
    {
        var sequencer = log.NewSequencer();
        await log.CommitAsync(2);
        await LogDatabase.DrainAsync(sequencer);
        await log.Checkpoints.CatchUpAsync(default);
        await File.AppendAllTextAsync(log.CheckpointPath, "localplus.local/ledger\n12");
        await log.CommitAsync(2);
        await LogDatabase.DrainAsync(sequencer);
        var file = log.Checkpoints;
        await file.CatchUpAsync(default);
        await file.CatchUpAsync(default);

        await using var connection = await log.Source.OpenConnectionAsync();
        var signed = await connection.QueryAsync<string>("SELECT note FROM log_checkpoints ORDER BY size");
        Assert.Equal(signed, CheckpointFile.Read(log.CheckpointPath).Select(c => c.Note));
    }

    [Fact]
    public async Task What_was_posted_before_there_was_a_log_gets_its_place()
    {
        var old = new LogDatabase();
        await old.InitializeAsync();
        await using (var super = new NpgsqlConnection(old.SuperuserConnectionString))
        {
            await LogDatabase.AddAsync(await OpenAsync(super), 5);
            await super.ExecuteAsync(
                "SET session_replication_role = replica; UPDATE transactions SET written_by = '0'"
            );
        }

        Assert.Equal(5, await LogDatabase.DrainAsync(old.NewSequencer()));
        await old.DisposeAsync();
    }

    [Theory]
    [InlineData(
        "DELETE FROM log_leaves WHERE leaf_index > 5; DELETE FROM log_checkpoints WHERE size > 6; DELETE FROM log_nodes",
        "The checkpoint file knows a tree of 20 leaves"
    )]
    [InlineData("DELETE FROM log_leaves WHERE leaf_index = 19", "its last checkpoint 20")]
    [InlineData("UPDATE log_leaves SET leaf_hash = sha256('') WHERE leaf_index = 19", "is not the one that was signed")]
    [InlineData("DELETE FROM log_nodes", "lacks a node")]
    public async Task A_log_that_contradicts_what_was_signed_is_not_signed_again(string damage, string reason)
    {
        var damaged = new LogDatabase();
        await damaged.InitializeAsync();
        foreach (var count in (int[])[6, 14])
        {
            await damaged.CommitAsync(count);
            await LogDatabase.DrainAsync(damaged.NewSequencer());
        }

        await damaged.Checkpoints.CatchUpAsync(default);
        await using (var super = new NpgsqlConnection(damaged.SuperuserConnectionString))
        {
            await (await OpenAsync(super)).ExecuteAsync($"SET session_replication_role = replica; {damage}");
        }

        await damaged.CommitAsync(3);
        var refusal = await Assert.ThrowsAsync<LogBrokenException>(() => damaged.NewSequencer().SequenceAsync(default));

        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
        await using var connection = await damaged.Source.OpenConnectionAsync();
        Assert.NotEqual(23, await connection.ExecuteScalarAsync<long>("SELECT max(size) FROM log_checkpoints"));
        await damaged.DisposeAsync();
    }

    [Fact]
    public async Task Every_checkpoint_is_published()
    {
        await log.CommitAsync(1);
        await LogDatabase.DrainAsync(log.NewSequencer());

        await using var connection = await log.Source.OpenConnectionAsync();
        var published = await connection.QueryAsync<long>(
            "SELECT sequence FROM outbox_events WHERE topic = 'ledger.checkpoints.v1' ORDER BY id"
        );
        Assert.Equal(await connection.QueryAsync<long>("SELECT size FROM log_checkpoints ORDER BY size"), published);
    }

    private static async Task<NpgsqlConnection> OpenAsync(NpgsqlConnection connection)
    {
        await connection.OpenAsync();
        return connection;
    }

    /// <summary>As a replica does, a new sequencer after each failure.</summary>
    private async Task LeadAsync(CancellationToken stop)
    {
        var sequencer = log.NewSequencer();
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await sequencer.SequenceAsync(default);
            }
            catch (NpgsqlException)
            {
                sequencer = log.NewSequencer();
            }
        }
    }

    /// <summary>Ends the sessions that hold a round's lock, wherever they are in it.</summary>
    private async Task CutOffAsync(CancellationToken stop)
    {
        await using var super = new NpgsqlConnection(log.SuperuserConnectionString);
        await super.OpenAsync(CancellationToken.None);
        using var pulse = new PeriodicTimer(TimeSpan.FromMilliseconds(60));
        while (!stop.IsCancellationRequested && await pulse.WaitForNextTickAsync(CancellationToken.None))
        {
            await super.ExecuteAsync(
                """
                SELECT pg_terminate_backend(l.pid)
                  FROM pg_locks l
                  JOIN pg_database d ON d.oid = l.database
                 WHERE d.datname = current_database() AND l.locktype = 'advisory' AND l.granted AND random() < 0.5
                """
            );
        }
    }

    /// <summary>Commits what it says; rolls every fifth back; holds some open while others overtake.</summary>
    private async Task<List<Guid>> WriteAsync(Random random)
    {
        var written = new List<Guid>();
        await using var connection = await log.Source.OpenConnectionAsync();
        for (var i = 0; i < 60; i++)
        {
            await using var transaction = await connection.BeginTransactionAsync();
            var ids = await LogDatabase.AddAsync(
                connection,
                random.Next(1, 40),
                TimeProvider.System.GetUtcNow().AddSeconds(-random.Next(100))
            );
            await connection.ExecuteAsync("SELECT pg_sleep(@Seconds)", new { Seconds = random.Next(20) / 1000.0 });
            if (i % 5 == 4)
            {
                await transaction.RollbackAsync();
                continue;
            }

            await transaction.CommitAsync();
            written.AddRange(ids);
        }

        return written;
    }

    private async Task<long> BlocksOfAsync(Sequencer sequencer, int rounds)
    {
        var before = await log.BlocksReadAsync();
        for (var i = 0; i < rounds; i++)
        {
            await log.CommitAsync(1);
            Assert.Equal(1, await sequencer.SequenceAsync(default));
        }

        return await log.BlocksReadAsync() - before;
    }
}
