using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>The same request by either door comes to the same, and is refused with the same code.</summary>
public sealed class ParityTests : IClassFixture<LedgerFixture>
{
    private const long Most = (1L << 53) - 1;
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;
    private readonly string merchant;

    public ParityTests(LedgerFixture ledger) =>
        (this.ledger, rest, merchant) = (ledger, new RestClient(ledger), ledger.Merchant.ToString());

    [Fact]
    public async Task Postings_are_refused_with_the_same_codes()
    {
        var world = await WorldAsync();
        (string From, string To, long Amount, string Kind, string? Reference, string? Expected)[] cases =
        [
            (world.Clearing, world.Card, 5, "load", null, null),
            (world.Card, world.Clearing, 1_000_000, "load", null, "insufficient_balance"),
            (world.Clearing, world.Capped, 11, "load", null, "limit_exceeded"),
            (world.Clearing, world.Dollars, 1, "load", null, "currency_mismatch"),
            (world.Clearing, world.Frozen, 1, "load", null, "account_frozen"),
            (world.Closed, world.Card, 1, "load", null, "account_closed"),
            (world.Clearing, world.Missing, 1, "load", null, "not_found"),
            (world.Clearing, world.Card, 1, "load", world.Reference, "reference_reused"),
            (world.Clearing, world.Card, 0, "load", null, "invalid_request"),
            (world.Clearing, world.Card, -5, "load", null, "invalid_request"),
            (world.Clearing, world.Card, Most + 1, "load", null, "invalid_request"),
            (world.Clearing, world.Card, Most, "load", null, "limit_exceeded"),
            (world.Card, world.Card, 1, "load", null, "invalid_request"),
            (world.Clearing, world.Card, 1, "Load", null, "invalid_request"),
            (world.Clearing, world.Card, 1, "load", new string('r', 256), "invalid_request"),
        ];
        foreach (var (from, to, amount, kind, reference, expected) in cases)
        {
            var byRest = await rest.PostAsync(
                "/v1/transactions",
                new
                {
                    kind,
                    reference,
                    postings = new[]
                    {
                        new
                        {
                            source = from,
                            destination = to,
                            amount,
                        },
                    },
                }
            );
            var byGrpc = await CodeAsync(
                ledger.Client.PostTransactionAsync(
                    new PostTransactionRequest
                    {
                        MerchantId = merchant,
                        IdempotencyKey = Key(),
                        Kind = kind,
                        Reference = reference ?? "",
                        Postings =
                        {
                            new Posting
                            {
                                SourceAccountId = from,
                                DestinationAccountId = to,
                                Amount = amount,
                            },
                        },
                    },
                    ledger.Options
                )
            );

            Assert.Equal((expected, expected), (byRest.Code, byGrpc));
        }
    }

    [Fact]
    public async Task Reversals_are_refused_with_the_same_codes()
    {
        var world = await WorldAsync();
        var original = (await rest.TransferAsync(world.Clearing, world.Card, 10)).String("id");
        var reversal = (
            await rest.PostAsync(
                $"/v1/transactions/{original}/reverse",
                new
                {
                    postings = new[]
                    {
                        new
                        {
                            source = world.Card,
                            destination = world.Clearing,
                            amount = 1,
                        },
                    },
                }
            )
        ).String("id");
        (string Transaction, long Amount, string? Reference, string? Expected)[] cases =
        [
            (original, 2, null, null),
            (original, 10, null, "reversal_exceeds_original"),
            (reversal, 1, null, "reversal_exceeds_original"),
            ("txn_00000000000000000000000000", 1, null, "not_found"),
            (original, 1, world.Reference, "reference_reused"),
            (original, 0, null, "invalid_request"),
        ];
        foreach (var (transaction, amount, reference, expected) in cases)
        {
            var byRest = await rest.PostAsync(
                $"/v1/transactions/{transaction}/reverse",
                new
                {
                    reference,
                    postings = new[]
                    {
                        new
                        {
                            source = world.Card,
                            destination = world.Clearing,
                            amount,
                        },
                    },
                }
            );
            var byGrpc = await CodeAsync(
                ledger.Client.ReverseTransactionAsync(
                    new ReverseTransactionRequest
                    {
                        MerchantId = merchant,
                        IdempotencyKey = Key(),
                        TransactionId = transaction,
                        Reference = reference ?? "",
                        Postings =
                        {
                            new Posting
                            {
                                SourceAccountId = world.Card,
                                DestinationAccountId = world.Clearing,
                                Amount = amount,
                            },
                        },
                    },
                    ledger.Options
                )
            );

            Assert.Equal((expected, expected), (byRest.Code, byGrpc));
        }
    }

    [Fact]
    public async Task Holds_are_refused_with_the_same_codes()
    {
        var world = await WorldAsync();
        var soon = TimeProvider.System.GetUtcNow().AddMinutes(5);
        (string[] Sources, long Amount, DateTimeOffset End, string? Expected)[] cases =
        [
            ([world.Card], 1, soon, null),
            ([world.Card], 1_000_000, soon, "insufficient_balance"),
            ([world.Card, world.Dollars], 1, soon, "currency_mismatch"),
            ([world.Frozen], 1, soon, "account_frozen"),
            ([world.Closed], 1, soon, "account_closed"),
            ([world.Missing], 1, soon, "not_found"),
            ([world.Card, world.Card], 1, soon, "invalid_request"),
            ([], 1, soon, "insufficient_balance"),
            ([world.Card], 0, soon, "invalid_request"),
            ([world.Card], 1, soon.AddDays(-1), "hold_expired"),
            ([world.Card], 1, soon.AddDays(31), "limit_exceeded"),
        ];
        foreach (var (sources, amount, end, expected) in cases)
        {
            var byRest = await rest.PostAsync(
                "/v1/accounts/holds",
                new
                {
                    reference = Key(),
                    amount,
                    sources = sources.Select(account_id => new { account_id }).ToArray(),
                    expires_at = end,
                }
            );
            var request = new PlaceHoldRequest
            {
                MerchantId = merchant,
                IdempotencyKey = Key(),
                Reference = Key(),
                Amount = amount,
                ExpiresAt = Timestamp.FromDateTimeOffset(end),
                Sources = { sources.Select(account => new HoldSource { AccountId = account }) },
            };

            Assert.Equal(
                (expected, expected),
                (byRest.Code, await CodeAsync(ledger.Client.PlaceHoldAsync(request, ledger.Options)))
            );
        }
    }

    [Fact]
    public async Task Settlements_are_refused_with_the_same_codes()
    {
        var world = await WorldAsync();
        async Task<string> HoldAsync() =>
            (await ledger.Client.PlaceHoldAsync(ledger.HoldOf(Key(), 10, world.Card), ledger.Options)).Hold.HoldId;
        var over = await HoldAsync();
        Assert.Equal(200, (await rest.PostAsync($"/v1/accounts/holds/{over}/release", "")).Status);
        (string Hold, string Destination, long Amount, string? Expected)[] cases =
        [
            (await HoldAsync(), world.Card, 10, "invalid_request"),
            (await HoldAsync(), world.Clearing, 11, "limit_exceeded"),
            (over, world.Clearing, 10, "hold_not_pending"),
            ("hld_00000000000000000000000000", world.Clearing, 1, "not_found"),
            (await HoldAsync(), world.Frozen, 1, "account_frozen"),
            (await HoldAsync(), world.Missing, 1, "not_found"),
            (await HoldAsync(), world.Dollars, 1, "currency_mismatch"),
            (await HoldAsync(), world.Clearing, -1, "invalid_request"),
        ];
        foreach (var (hold, destination, amount, expected) in cases)
        {
            var byRest = await rest.PostAsync(
                $"/v1/accounts/holds/{hold}/capture",
                new { amount, capture = new { destination } }
            );
            var byGrpc = await CodeAsync(
                ledger.Client.CaptureHoldAsync(
                    new CaptureHoldRequest
                    {
                        MerchantId = merchant,
                        IdempotencyKey = Key(),
                        HoldId = hold,
                        Amount = amount,
                        Capture = new HoldCapture { DestinationAccountId = destination },
                    },
                    ledger.Options
                )
            );

            Assert.Equal((expected, expected), (byRest.Code, byGrpc));
        }

        Assert.Equal("hold_not_pending", (await rest.PostAsync($"/v1/accounts/holds/{over}/release", "")).Code);
        Assert.Equal(
            "hold_not_pending",
            await CodeAsync(
                ledger.Client.ReleaseHoldAsync(
                    new ReleaseHoldRequest
                    {
                        MerchantId = merchant,
                        IdempotencyKey = Key(),
                        HoldId = over,
                    },
                    ledger.Options
                )
            )
        );
    }

    [Fact]
    public async Task A_key_with_another_request_is_refused_by_both_and_the_order_of_metadata_is_none()
    {
        var world = await WorldAsync();
        var key = Key();
        PostTransactionRequest Request(long amount, params string[] metadata)
        {
            var request = new PostTransactionRequest
            {
                MerchantId = merchant,
                IdempotencyKey = key,
                Kind = "load",
                Postings =
                {
                    new Posting
                    {
                        SourceAccountId = world.Clearing,
                        DestinationAccountId = world.Card,
                        Amount = amount,
                    },
                },
            };
            Array.ForEach(metadata, name => request.Metadata[name] = name);
            return request;
        }

        var first = await ledger.Client.PostTransactionAsync(Request(1, "a", "b", "c"), ledger.Options);
        Assert.Equal(first, await ledger.Client.PostTransactionAsync(Request(1, "c", "a", "b"), ledger.Options));
        Assert.Equal(
            "idempotency_key_reused",
            await CodeAsync(ledger.Client.PostTransactionAsync(Request(2, "a", "b", "c"), ledger.Options))
        );
        Assert.Equal(
            "idempotency_key_reused",
            await CodeAsync(ledger.Client.PostTransactionAsync(Request(1, "a", "b"), ledger.Options))
        );
    }

    private static string Key() => Guid.CreateVersion7().ToString("N");

    private static async Task<string?> CodeAsync<T>(AsyncUnaryCall<T> call)
    {
        try
        {
            await call;
            return null;
        }
        catch (RpcException refusal)
        {
            return refusal.Trailers.GetValue("localplus-code") ?? refusal.ToString();
        }
    }

    private async Task<World> WorldAsync()
    {
        var name = Key();
        var clearing = await rest.OpenAsync("outside", unbounded: true);
        var world = new World(
            clearing,
            await rest.OpenAsync($"{name}-card"),
            await rest.OpenAsync($"{name}-capped", ceiling: 10),
            await rest.OpenAsync($"{name}-usd", asset: "USD"),
            await rest.OpenAsync($"{name}-frozen"),
            await rest.OpenAsync($"{name}-closed"),
            "acc_00000000000000000000000000",
            $"{name}-reference"
        );
        Assert.Equal(201, (await rest.TransferAsync(clearing, world.Card, 1_000, reference: world.Reference)).Status);
        foreach (var (account, status) in new[] { (world.Frozen, "frozen"), (world.Closed, "closed") })
        {
            var changed = await rest.PatchAsync(
                $"/v1/accounts/{account}",
                new { status },
                (await rest.GetAsync($"/v1/accounts/{account}")).ETag
            );
            Assert.Equal(200, changed.Status);
        }

        return world;
    }

    private sealed record World(
        string Clearing,
        string Card,
        string Capped,
        string Dollars,
        string Frozen,
        string Closed,
        string Missing,
        string Reference
    );
}
