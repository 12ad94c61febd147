using System.Diagnostics;
using Google.Protobuf;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Ledger.Core;

/// <summary>
/// Gives a batch of commands one transaction: lock and read all they touch in one round trip, decide in memory in order of
/// arrival, write all effects in a second, commit. A command that breaks a rule is refused alone. Should the database
/// refuse the batch as a whole (another replica used a key or reference in the meantime), its commands go one by one.
/// </summary>
internal sealed class BatchWriter(Database database, OutboxSignal outbox, TimeProvider time)
{
    private const int TriesAlone = 3;

    public async Task WriteAsync(IReadOnlyList<Command> batch)
    {
        if (batch.Count > 1)
        {
            try
            {
                await TransactAsync(batch);
                return;
            }
            catch (PostgresException refusal) when (IsConflict(refusal))
            {
                // Falls through: alone, each either finds what the other replica did or goes on.
            }
        }

        foreach (var command in batch)
        {
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await TransactAsync([command]);
                    break;
                }
                catch (PostgresException refusal) when (IsConflict(refusal) && attempt < TriesAlone)
                {
                    // Read again what is there now.
                }
                catch (Exception exception)
                {
                    command.Fail(exception);
                    break;
                }
            }
        }
    }

    private static bool IsConflict(PostgresException exception) => exception.SqlState is
        PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected;

    private async Task TransactAsync(IReadOnlyList<Command> batch)
    {
        var now = time.GetUtcNow();
        now = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerMillisecond), TimeSpan.Zero);
        using var activity = Telemetry.Source.StartActivity(
            "commit batch", ActivityKind.Internal, batch[0].Trace, links: batch.Skip(1).Select(command => new ActivityLink(command.Trace)));
        activity?.SetTag("localplus.ledger.commands", batch.Count);
        await using var db = await database.BeginAsync(CancellationToken.None);
        var (book, known) = await BookReader.ReadAsync(db, batch, now);
        var answers = new List<(Command Command, Outcome Outcome)>(batch.Count);
        var fresh = new List<(Command Command, Outcome Outcome)>(batch.Count);
        foreach (var command in batch)
        {
            if (known.TryGetValue((command.MerchantId, command.Operation, command.Key), out var stored))
            {
                answers.Add((command, stored.AnswerTo(command)));
                continue;
            }

            var outcome = Decide(command, book);
            answers.Add((command, outcome));
            if (outcome.Fault is not { Retryable: true } and not { Status: 400 })
            {
                fresh.Add((command, outcome));
                known[(command.MerchantId, command.Operation, command.Key)] = new StoredCommand(command.Fingerprint, outcome);
            }
        }

        if (fresh.Count > 0)
        {
            await BookWriter.WriteAsync(db, book, fresh);
            await db.CommitAsync();
            if (book.NewEntries.Count > 0)
            {
                outbox.Ring();
            }
        }

        foreach (var (command, outcome) in answers)
        {
            command.Complete(outcome);
        }
    }

    private static Outcome Decide(Command command, Book book)
    {
        try
        {
            book.Traceparent = command.Traceparent;
            return new Outcome(command.Apply(book).ToByteArray());
        }
        catch (FaultException refusal)
        {
            return new Outcome(System.Text.Encoding.UTF8.GetBytes(refusal.Detail), refusal.Fault) { Extensions = refusal.Extensions };
        }
    }
}

/// <summary>What is known of a command that was decided before.</summary>
internal sealed record StoredCommand(byte[] Fingerprint, Outcome Outcome)
{
    public Outcome AnswerTo(Command command) => command.Fingerprint.AsSpan().SequenceEqual(Fingerprint)
        ? Outcome
        : new Outcome("The key came with another request before."u8.ToArray(), CommonFaults.IdempotencyKeyReused);
}
