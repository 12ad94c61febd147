using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Kernel;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger.Faults;

/// <summary>A merchant's API key with ledger:write against what a service opened in the merchant's books.</summary>
public sealed class OwnershipTests : IClassFixture<LedgerFixture>
{
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;

    public OwnershipTests(LedgerFixture ledger) => (this.ledger, rest) = (ledger, new RestClient(ledger));

    /// <summary>Each write route against each kind of object that a service owns.</summary>
    [Fact]
    public async Task Fault_03_no_route_of_the_rest_door_changes_what_a_service_owns()
    {
        var (card, payable) = (
            await ledger.FundAsync("owned-card", 1_000),
            await ledger.OpenAsync("owned-payable", unbounded: true)
        );
        var mine = await rest.OpenAsync("mine", unbounded: true);
        var points = await rest.OpenAsync("my-points", "PTS:club");
        var posted = (await ledger.PostAsync("owned-post", card, payable, 100)).Transaction.TransactionId;
        var hold = (await ledger.Client.PlaceHoldAsync(ledger.HoldOf("owned-hold", 50, card), ledger.Options))
            .Hold
            .HoldId;
        var spent = (await ledger.Client.SpendAsync(Spend("owned-spend", card, payable, 100), ledger.Options))
            .Spent
            .TransactionId;
        var soon = TimeProvider.System.GetUtcNow().AddDays(1);
        var capture = new { destination = mine };
        (string Path, object Body)[] routes =
        [
            ("/v1/transactions", Post(mine, card)),
            ("/v1/transactions", Post(card, mine)),
            ("/v1/transactions", Post(payable, mine)),
            ("/v1/transactions", Post(card, payable)),
            ("/v1/transactions?dry_run=true", Post(mine, card)),
            ("/v1/transactions/bulk", new { items = new[] { Post(mine, card) }, atomic = true }),
            ("/v1/transactions/bulk?dry_run=true", new { items = new[] { Post(mine, card) }, atomic = true }),
            ($"/v1/transactions/{posted}/reverse", new { }),
            ($"/v1/transactions/{spent}/reverse", new { }),
            ($"/v1/transactions/{spent}/reverse?dry_run=true", new { }),
            (
                "/v1/accounts/holds",
                new
                {
                    reference = "h1",
                    amount = 1,
                    sources = Sources(card),
                    expires_at = soon,
                }
            ),
            (
                "/v1/accounts/holds",
                new
                {
                    reference = "h2",
                    amount = 1,
                    sources = Sources(mine),
                    capture = new { destination = payable },
                }
            ),
            (
                "/v1/accounts/holds",
                new
                {
                    reference = "h3",
                    amount = 1,
                    sources = Sources(mine),
                    capture = new
                    {
                        destination = await rest.OpenAsync("mine-too"),
                        postings = new[] { Posting(payable, mine) },
                    },
                }
            ),
            ($"/v1/accounts/holds/{hold}/capture", new { capture }),
            ($"/v1/accounts/holds/{hold}/release", new { }),
            ($"/v1/accounts/holds/{hold}/extend", new { expires_at = soon }),
        ];
        foreach (var (path, body) in routes)
        {
            var answer = await rest.PostAsync(path, body);
            Assert.True(
                (403, "owned_by_service") == (answer.Status, answer.Code),
                $"{path} {answer.Status} {answer.Text}"
            );
        }

        var single = await rest.PostAsync(
            "/v1/transactions/bulk",
            new { items = new[] { Post(mine, card), Post(mine, points) } }
        );
        Assert.Equal([403, 422], single["data"].EnumerateArray().Select(item => item.GetProperty("status").GetInt32()));
        var read = await rest.GetAsync($"/v1/accounts/{card}");
        foreach (
            var change in (object[])
                [new { status = "frozen" }, new { status = "closed" }, new { floor = -5 }, new { ceiling = 5 }]
        )
        {
            Assert.Equal("owned_by_service", (await rest.PatchAsync($"/v1/accounts/{card}", change, read.ETag)).Code);
        }

        // Reading it stays free, and says whose it is.
        Assert.Equal((200, "tests"), (read.Status, read.String("owner")));
        Assert.Equal((800L, 50L, 200L), (read.Number("posted"), read.Number("held"), await rest.PostedAsync(payable)));
        Assert.Equal(200, (await rest.GetAsync($"/v1/accounts/holds/{hold}")).Status);
        Assert.Equal(200, (await rest.GetAsync($"/v1/transactions/{spent}")).Status);
    }

    [Fact]
    public async Task Fault_03_a_service_settles_its_own_and_no_other_service_does()
    {
        var (card, payable) = (
            await ledger.FundAsync("other-card", 100),
            await ledger.OpenAsync("other-payable", unbounded: true)
        );
        var other = LedgerFixture.OptionsOf("other");

        Assert.Equal(
            "owned_by_service",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.SpendAsync(Spend("other-spend", card, payable, 10), other)
            )
        );
        Assert.Equal(
            "owned_by_service",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.OpenAccountsAsync(
                    new OpenAccountsRequest
                    {
                        MerchantId = ledger.Merchant.ToString(),
                        Accounts =
                        {
                            new OpenAccount { Name = "other-card", Asset = "EUR" },
                        },
                    },
                    other
                )
            )
        );
        Assert.Equal(
            10,
            (await ledger.Client.SpendAsync(Spend("own-spend", card, payable, 10), ledger.Options)).Spent.Amount
        );
    }

    /// <summary>
    /// A merchant's own accounts are everybody's who may write to its books, also a service's that works for
    /// it.
    /// </summary>
    [Fact]
    public async Task A_service_posts_between_the_merchant_s_own_accounts()
    {
        var (one, other) = (await rest.OpenAsync("own-1", unbounded: true), await rest.OpenAsync("own-2"));

        var posted = await ledger.PostAsync("between-own", one, other, 5);

        Assert.Equal(
            201,
            (await rest.PostAsync($"/v1/transactions/{posted.Transaction.TransactionId}/reverse", new { })).Status
        );
    }

    /// <summary>Accounts from before there were owners: their names tell whose they are.</summary>
    [Fact]
    public async Task Fault_03_what_was_opened_before_is_owned_by_its_name()
    {
        var old = new RestClient(ledger, MerchantId.New(TimeProvider.System));
        var (mine, card) = (await old.OpenAsync("mine", unbounded: true), await old.OpenAsync("to be a card"));
        await using var source = NpgsqlDataSource.Create(ledger.Database.OwnerConnectionString);
        await using var rename = source.CreateCommand(
            "UPDATE accounts SET name = 'card:gc_1:paid' WHERE name = 'to be a card'"
        );
        Assert.Equal(1, await rename.ExecuteNonQueryAsync());

        var answer = await old.PostAsync("/v1/transactions", Post(mine, card));

        Assert.Equal(
            ("owned_by_service", "giftcard"),
            (answer.Code, (await old.GetAsync($"/v1/accounts/{card}")).String("owner"))
        );
    }

    [Theory]
    [InlineData("clearing")]
    [InlineData("merchant:payable")]
    [InlineData("programme:breakage")]
    [InlineData("card:gc_00000000000000000000000000:paid")]
    [InlineData("payable:mrc_00000000000000000000000000")]
    public async Task Fault_03_names_of_services_accounts_are_not_to_be_had(string name)
    {
        var answer = await rest.PostAsync(
            "/v1/accounts",
            new
            {
                name,
                asset = "EUR",
                unbounded = true,
            }
        );

        Assert.Equal((422, "name_reserved"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Fault_03_a_call_that_no_sidecar_signed_has_no_rights()
    {
        var request = new OpenAccountsRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            Accounts =
            {
                new OpenAccount { Name = "whose", Asset = "EUR" },
            },
        };

        Assert.Equal(
            "unauthenticated",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.OpenAccountsAsync(request, LedgerFixture.OptionsOf())
            )
        );
        Assert.Equal(
            "unauthenticated",
            await LedgerFixture.RefusalAsync(async () =>
                await ledger.Client.OpenAccountsAsync(request, LedgerFixture.OptionsOf("not an app id"))
            )
        );

        // What the service says itself stands before what its sidecar adds.
        await ledger.Client.OpenAccountsAsync(request, LedgerFixture.OptionsOf("giftcard", "wallet"));
        var opened = (await rest.GetAsync("/v1/accounts?name=whose"))["data"][0];
        Assert.Equal("wallet", opened.GetProperty("owner").GetString());
    }

    private static object Post(string source, string destination) =>
        new { kind = "thief", postings = new[] { Posting(source, destination) } };

    private static object Posting(string source, string destination) =>
        new
        {
            source,
            destination,
            amount = 1,
        };

    private static object[] Sources(string account) => [new { account_id = account }];

    private SpendRequest Spend(string key, string source, string destination, long amount) =>
        new()
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            Reference = key,
            Amount = amount,
            Sources = { new SpendSource { AccountId = source } },
            DestinationAccountId = destination,
        };
}
