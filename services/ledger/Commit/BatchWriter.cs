using System.Diagnostics;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Books;
using Npgsql;

namespace LocalPlus.Ledger.Commit;

/// <summary>
/// Gives a batch of commands one database transaction in two round trips: lock and read all they touch; decide in
/// memory in order of arrival; write all effects and commit. A command that breaks a rule is refused alone. Should the
/// database refuse the batch as a whole (another replica used a key or a reference meanwhile), its commands go one by
/// one. It blocks its thread on purpose: a writer has one of its own, and every hop between threads would be paid by
/// each batch.
/// </summary>
internal sealed class BatchWriter(
    NpgsqlDataSource database,
    OutboxSignal outbox,
    LedgerClock clock,
    TimeProvider time,
    short stripe,
    ILogger<BatchWriter> log
) : IDisposable
{
    private const int Tries = 3;
    private NpgsqlConnection? connection;

    public void Write(IReadOnlyList<Command> batch)
    {
        Rehearse([.. batch.Where(command => command.IsDryRun)]);
        WriteForGood([.. batch.Where(command => !command.IsDryRun)]);
    }

    public void Dispose() => connection?.Dispose();

    /// <summary>
    /// Decides on the books as they are, without a lock that a writer would wait for, and writes
    /// nothing.
    /// </summary>
    private void Rehearse(IReadOnlyList<Command> batch)
    {
        if (batch.Count == 0)
        {
            return;
        }

        InTransaction(
            batch,
            open =>
            {
                var (book, known) = BookReader.Read(open, batch, stripe, clock, time.GetUtcNow(), isRehearsal: true);
                var decided = Decide(batch, book, known);
                BookReader.End(open);
                return decided;
            }
        );
    }

    private void WriteForGood(IReadOnlyList<Command> batch)
    {
        if (batch.Count > 1 && TryTogether(batch))
        {
            return;
        }

        foreach (var command in batch)
        {
            WriteAlone(command);
        }
    }

    /// <summary>
    /// Refusals that say something of a single command, or that go away by themselves: worth another try.
    /// </summary>
    private static bool IsConflict(PostgresException exception) =>
        exception.SqlState
            is PostgresErrorCodes.UniqueViolation
                or PostgresErrorCodes.SerializationFailure
                or PostgresErrorCodes.DeadlockDetected
                or PostgresErrorCodes.LockNotAvailable
                // Two reversals of a transaction between striped accounts meet only in the CHECK of reversal_lines; the
                // second look sees the first.
                or PostgresErrorCodes.CheckViolation;

    private bool TryTogether(IReadOnlyList<Command> batch)
    {
        try
        {
            Transact(batch);
            return true;
        }
        catch (PostgresException refusal) when (refusal.SqlState[0] is '2' or '4' or '5')
        {
            // Integrity, conflict, resources: alone, each either finds what the other replica did or goes on.
            log.BatchSplit(batch.Count, refusal.SqlState);
            return false;
        }
    }

    private void WriteAlone(Command command)
    {
        for (var attempt = 1; ; attempt++)
        {
            if (time.GetElapsedTime(command.QueuedAt) > LedgerLimits.CommandDeadline)
            {
                command.Fail(new FaultException(CommonFaults.Busy, "The ledger did not get to it in time."));
                return;
            }

            try
            {
                Transact([command]);
                return;
            }
            catch (PostgresException refusal) when (IsConflict(refusal) && attempt < Tries)
            {
                log.BatchSplit(1, refusal.SqlState);
            }
            catch (Exception exception)
            {
                command.Fail(exception);
                return;
            }
        }
    }

    private void Transact(IReadOnlyList<Command> batch) =>
        InTransaction(
            batch,
            open =>
            {
                var (book, known) = BookReader.Read(open, batch, stripe, clock, time.GetUtcNow(), isRehearsal: false);
                var decided = Decide(batch, book, known);
                BookWriter.Write(open, book, decided.Fresh, decided.Traces);
                decided.HasEvents = decided.Traces.Count > 0 || book.Accounts.Any(account => account.IsHeldChanged);
                return decided;
            }
        );

    private void InTransaction(IReadOnlyList<Command> batch, Func<NpgsqlConnection, Decided> transact)
    {
        using var activity = Telemetry.Source.StartActivity(
            "commit batch",
            ActivityKind.Internal,
            batch[0].Trace,
            links: batch.Skip(1).Select(command => new ActivityLink(command.Trace))
        );
        activity?.SetTag("localplus.ledger.commands", batch.Count);
        var started = time.GetTimestamp();
        var open = Open();
        try
        {
            var decided = transact(open);
            foreach (var (command, answer) in decided.Answers)
            {
                command.Complete(answer);
            }

            if (decided.HasEvents)
            {
                outbox.Ring();
            }
        }
        catch
        {
            // Whatever state it is in goes back to the pool with no transaction and no statement known by half.
            connection = null;
            Preparation.RollBackAndForget(open);
            open.Dispose();
            throw;
        }

        Telemetry.Batches.Record(batch.Count);
        Telemetry.BatchDuration.Record(time.GetElapsedTime(started).TotalSeconds);
    }

    private NpgsqlConnection Open()
    {
        if (connection is { FullState: System.Data.ConnectionState.Open })
        {
            return connection;
        }

        // A batch is of many merchants.
        using var shared = RowSecurity.ForAll();
        var open = database.OpenConnection();
        try
        {
            RowSecurity.Tell(open);
        }
        catch
        {
            open.Dispose();
            throw;
        }

        return connection = open;
    }

    private static Decided Decide(IReadOnlyList<Command> batch, Book book, Dictionary<Guid, StoredAnswer> known)
    {
        var decided = new Decided(batch.Count);
        foreach (var command in batch)
        {
            if (command.Fingerprint is { } asked && known.TryGetValue(command.AnswerId, out var stored))
            {
                decided.Answers.Add((command, Replay(command.Door, stored, asked)));
                continue;
            }

            if (Decide(command, book) is not var (answer, isStored))
            {
                continue;
            }

            decided.Answers.Add((command, answer));
            while (decided.Traces.Count < book.Transactions.Count)
            {
                decided.Traces.Add(command.Traceparent);
            }

            if (isStored && command.Fingerprint is { } fingerprint)
            {
                decided.Fresh.Add((command, answer));
                known[command.AnswerId] = new(
                    fingerprint.Bytes,
                    answer.Status,
                    answer.Location,
                    answer.ETag,
                    answer.StoredBody
                );
            }
        }

        return decided;
    }

    private static Answer Replay(Door door, StoredAnswer stored, Fingerprint asked)
    {
        try
        {
            return stored.Replay(asked);
        }
        catch (FaultException reused)
        {
            return door.Refuse(reused);
        }
    }

    private static (Answer Answer, bool IsStored)? Decide(Command command, Book book)
    {
        try
        {
            Answer Apply(Book b) => command.Door.Write(command.Operation.Decide(b));
            return (command.IsDryRun ? book.Rehearse(Apply) : book.Try(Apply), true);
        }
        catch (FaultException refusal)
        {
            return (command.Door.Refuse(refusal), refusal.Fault.IsFinal);
        }
        catch (Exception bug)
        {
            // A bug in one command is not its neighbours' failure; the book is as it was before it.
            command.Fail(bug);
            return null;
        }
    }

    private sealed class Decided(int count)
    {
        public List<(Command Command, Answer Answer)> Answers { get; } = new(count);

        /// <summary>Those whose answers are to be stored.</summary>
        public List<(Command Command, Answer Answer)> Fresh { get; } = new(count);

        /// <summary>Per transaction of the book: the trace it belongs to.</summary>
        public List<string?> Traces { get; } = new(count);

        /// <summary>Something is in the outbox.</summary>
        public bool HasEvents { get; set; }
    }
}
