using System.Text.Json;
using LocalPlus.Hosting;
using LocalPlus.Kernel;
using LocalPlus.Ledger.Commit;
using LocalPlus.Ledger.Proof;
using EventId = LocalPlus.Kernel.EventId;

namespace LocalPlus.Tests.Contract.Ledger;

public sealed class LedgerEventTests
{
    private static readonly TimeProvider Time = TimeProvider.System;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_posting_follows_its_schema(bool withAll)
    {
        var account = AccountId.New(Time);
        EventSchema.Follows(
            TransactionPosted.Topic,
            EventSchema.Envelope(
                TransactionPosted.Type,
                withAll ? $"{account}/3" : $"{account}",
                new TransactionPosted(
                    TransactionId.New(Time),
                    EntryId.New(Time),
                    account,
                    "card",
                    "EUR",
                    "load",
                    withAll ? "r1" : null,
                    -5,
                    95,
                    0,
                    withAll ? (short)3 : null,
                    Time.GetUtcNow(),
                    Time.GetUtcNow(),
                    withAll ? TransactionId.New(Time) : null,
                    withAll ? HoldId.New(Time) : null
                )
            )
        );
    }

    [Fact]
    public void What_is_held_follows_its_schema()
    {
        var account = AccountId.New(Time);
        EventSchema.Follows(
            AccountHeld.Topic,
            EventSchema.Envelope(AccountHeld.Type, $"{account}", new AccountHeld(account, "card:1", "EUR", 0))
        );
    }

    [Fact]
    public void A_checkpoint_follows_its_schema() =>
        EventSchema.Follows(
            CheckpointSigned.Topic,
            JsonSerializer.SerializeToNode(
                new EventEnvelope<CheckpointSigned>(
                    EventId.New(Time),
                    CheckpointSigned.Type,
                    "localplus.local/ledger",
                    7,
                    null,
                    Time.GetUtcNow(),
                    new CheckpointSigned("localplus.local/ledger", 7, new byte[32], "note", Time.GetUtcNow())
                ),
                StrictJson.Options
            )!
        );
}
