using System.Globalization;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Ledger;

/// <summary>The merchants' door: keys, dry runs, bulks, policies, points.</summary>
public sealed class RestBehaviourTests : IClassFixture<LedgerFixture>
{
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;

    public RestBehaviourTests(LedgerFixture ledger) => (this.ledger, rest) = (ledger, new RestClient(ledger));

    [Fact]
    public async Task Answers_and_refusals_are_replayed_to_the_byte_also_after_a_restart()
    {
        var own = new LedgerFixture { IsProcess = true };
        await own.InitializeAsync();
        var merchant = new RestClient(own);
        var (clearing, card) = (await merchant.OpenAsync("outside", unbounded: true), await merchant.OpenAsync("card"));
        var done = await merchant.TransferAsync(clearing, card, 100, key: "done", reference: "r1");
        var refused = await merchant.TransferAsync(card, clearing, 101, key: "refused");
        var absent = await merchant.TransferAsync(card, "acc_00000000000000000000000000", 1, key: "absent");
        Assert.Equal((201, 422, 404), (done.Status, refused.Status, absent.Status));
        own.Kill();
        await own.Service.DisposeAsync();
        await own.StartAsync();
        await merchant.TransferAsync(clearing, card, 900);

        foreach (
            var (first, again) in new[]
            {
                (done, await merchant.TransferAsync(clearing, card, 100, key: "done", reference: "r1")),
                (refused, await merchant.TransferAsync(card, clearing, 101, key: "refused")),
                (absent, await merchant.TransferAsync(card, "acc_00000000000000000000000000", 1, key: "absent")),
            }
        )
        {
            Assert.Equal(
                (first.Status, first.Text, first.Headers.Location),
                (again.Status, again.Text, again.Headers.Location)
            );
            Assert.Equal((false, true), (first.IsReplay, again.IsReplay));
        }

        var other = await merchant.TransferAsync(clearing, card, 101, key: "done", reference: "r1");
        Assert.Equal((422, "idempotency_key_reused"), (other.Status, other.Code));
        Assert.Equal(1_000, await merchant.PostedAsync(card));
        await own.DisposeAsync();
    }

    [Fact]
    public async Task The_order_of_members_and_of_metadata_is_not_another_request()
    {
        var (clearing, card) = await PairAsync("order");
        var first = await rest.PostAsync(
            "/v1/transactions",
            $$$"""{"kind":"load","metadata":{"b":"2","a":"1"},"postings":[{"source":"{{{clearing}}}","destination":"{{{card}}}","amount":1}]}""",
            "order"
        );
        var second = await rest.PostAsync(
            "/v1/transactions",
            $$$"""{ "postings": [{"amount":1,"destination":"{{{card}}}","source":"{{{clearing}}}"}], "metadata": {"a":"1","b":"2"}, "kind":"load" }""",
            "order"
        );

        Assert.Equal((201, true), (second.Status, second.IsReplay));
        Assert.Equal(first.Text, second.Text);
    }

    [Fact]
    public async Task A_key_belongs_to_its_merchant()
    {
        var (clearing, card) = await PairAsync("mine");
        var mine = await rest.TransferAsync(clearing, card, 5, key: "shared", reference: "shared");
        var other = new RestClient(ledger, MerchantId.New(TimeProvider.System));
        var (theirClearing, theirCard) = (
            await other.OpenAsync("outside", unbounded: true),
            await other.OpenAsync("card")
        );

        var theirs = await other.TransferAsync(theirClearing, theirCard, 7, key: "shared", reference: "shared");
        var foreign = await other.TransferAsync(theirClearing, card, 7);

        Assert.Equal((201, 201, false), (mine.Status, theirs.Status, theirs.IsReplay));
        Assert.Equal((404, 404), (foreign.Status, (await other.GetAsync($"/v1/accounts/{card}")).Status));
        Assert.Equal(5, await rest.PostedAsync(card));
    }

    [Fact]
    public async Task A_reference_that_was_used_names_what_it_is_of()
    {
        var (clearing, card) = await PairAsync("reference");
        var first = await rest.TransferAsync(clearing, card, 5, reference: "invoice-1");

        var second = await rest.TransferAsync(clearing, card, 5, reference: "invoice-1");

        Assert.Equal((422, "reference_reused"), (second.Status, second.Code));
        Assert.Contains(first.String("id"), second.String("detail"), StringComparison.Ordinal);
        Assert.Equal(201, (await rest.TransferAsync(clearing, card, 5, reference: "invoice-\u00e9")).Status);
        Assert.Equal(201, (await rest.TransferAsync(clearing, card, 5, reference: "invoice-e\u0301")).Status);
    }

    [Fact]
    public async Task A_dry_run_answers_what_would_be_and_leaves_nothing()
    {
        var (clearing, card) = await PairAsync("dry");
        await rest.TransferAsync(clearing, card, 100);
        var hold = await rest.PostAsync("/v1/accounts/holds", Hold("dry", card, 60));

        var posted = await rest.TransferAsync(card, clearing, 40, reference: "dry-ref", query: "?dry_run=true");
        var refused = await rest.TransferAsync(card, clearing, 41, query: "?dry_run=true");
        var captured = await rest.PostAsync(
            $"/v1/accounts/holds/{hold.String("id")}/capture?dry_run=true",
            new { capture = new { destination = clearing } }
        );
        var released = await rest.PostAsync($"/v1/accounts/holds/{hold.String("id")}/release?dry_run=true", "");
        var bulk = await rest.PostAsync(
            "/v1/transactions/bulk?dry_run=true",
            new { items = new[] { Item(card, clearing, 40), Item(card, clearing, 41) } }
        );

        Assert.Equal(
            (201, 422, 200, 200, 200),
            (posted.Status, refused.Status, captured.Status, released.Status, bulk.Status)
        );
        Assert.Equal([201, 422], bulk["data"].EnumerateArray().Select(item => item.GetProperty("status").GetInt32()));
        var account = await rest.GetAsync($"/v1/accounts/{card}");
        Assert.Equal((100L, 60L, 1L), (account.Number("posted"), account.Number("held"), account.Number("version")));
        Assert.Equal("pending", (await rest.GetAsync($"/v1/accounts/holds/{hold.String("id")}")).String("state"));
        Assert.Equal(201, (await rest.TransferAsync(card, clearing, 40, reference: "dry-ref")).Status);
    }

    [Fact]
    public async Task A_bulk_of_a_thousand_gives_each_item_its_own_outcome_and_a_repeat_the_same()
    {
        var (clearing, card) = await PairAsync("bulk");
        await rest.TransferAsync(clearing, card, 500);
        var request = new { items = Enumerable.Range(0, 1_000).Select(_ => Item(card, clearing, 1)).ToArray() };

        var first = await rest.PostAsync("/v1/transactions/bulk", request, "bulk");
        var again = await rest.PostAsync("/v1/transactions/bulk", request, "bulk");

        var statuses = first["data"].EnumerateArray().Select(item => item.GetProperty("status").GetInt32()).ToList();
        Assert.Equal((500, 500), (statuses.Count(s => s == 201), statuses.Count(s => s == 422)));
        Assert.Equal(first.Text, again.Text);
        Assert.Equal(0, await rest.PostedAsync(card));
        var reused = await rest.PostAsync(
            "/v1/transactions/bulk",
            new { items = new[] { Item(clearing, card, 1) } },
            "bulk"
        );
        Assert.Equal((422, "idempotency_key_reused"), (reused.Status, reused.Code));
        Assert.Equal(
            400,
            (
                await rest.PostAsync(
                    "/v1/transactions/bulk",
                    new { items = Enumerable.Repeat(Item(clearing, card, 1), 1_001) }
                )
            ).Status
        );
    }

    [Fact]
    public async Task An_atomic_bulk_happens_whole_or_not_and_points_at_what_is_wrong()
    {
        var (clearing, card) = await PairAsync("atomic");
        await rest.TransferAsync(clearing, card, 999);
        var items = Enumerable.Range(0, 1_000).Select(_ => Item(card, clearing, 1)).ToArray();

        var refused = await rest.PostAsync("/v1/transactions/bulk", new { items, atomic = true });
        var posted = await rest.PostAsync("/v1/transactions/bulk", new { items = items[..999], atomic = true });

        Assert.Equal((422, "insufficient_balance"), (refused.Status, refused.Code));
        Assert.Equal("/items/999", refused["errors"][0].GetProperty("pointer").GetString());
        Assert.Equal((200, 999), (posted.Status, posted["data"].GetArrayLength()));
        Assert.Equal(0, await rest.PostedAsync(card));
    }

    [Fact]
    public async Task Points_are_earned_and_burnt_with_their_worth_in_money()
    {
        var member = await rest.OpenAsync("member:1", asset: "PTS:club");

        var earned = await rest.PostAsync(
            "/v1/transactions/earn",
            new
            {
                account_id = member,
                points = 100,
                value = new { amount = 250, currency = "EUR" },
                reference = "earn-1",
            }
        );
        var burnt = await rest.PostAsync(
            "/v1/transactions/burn",
            new
            {
                account_id = member,
                points = 60,
                value = new { amount = 150, currency = "EUR" },
            }
        );
        var tooMuch = await rest.PostAsync("/v1/transactions/burn", new { account_id = member, points = 41 });

        Assert.Equal((201, 201, "insufficient_balance"), (earned.Status, burnt.Status, tooMuch.Code));
        Assert.Equal(40, await rest.PostedAsync(member));
        var balances = (await rest.GetAsync("/v1/accounts?limit=100"))["data"]
            .EnumerateArray()
            .ToLookup(a => a.GetProperty("name").GetString()!, a => a.GetProperty("posted").GetInt64());
        Assert.Equal(
            (-40L, -250L, 100L),
            (
                balances["points_pool"].Single(),
                balances["merchant:points_expense"].Single(),
                balances["merchant:points_liability"].Single()
            )
        );
        Assert.Equal(
            400,
            (
                await rest.PostAsync(
                    "/v1/transactions/earn",
                    new { account_id = await rest.OpenAsync("money"), points = 1 }
                )
            ).Status
        );
    }

    [Fact]
    public async Task An_account_changes_under_its_version_and_not_into_what_its_balance_breaks()
    {
        var (clearing, card) = await PairAsync("changed");
        await rest.TransferAsync(clearing, card, 100);
        var account = await rest.GetAsync($"/v1/accounts/{card}");
        var path = $"/v1/accounts/{card}";

        Assert.Equal((304, ""), await StatusAsync(rest.GetAsync(path, ifNoneMatch: account.ETag)));
        Assert.Equal(
            (428, "if_match_required"),
            await StatusAsync(rest.PatchAsync(path, new { status = "frozen" }, null))
        );
        Assert.Equal(
            (412, "version_conflict"),
            await StatusAsync(rest.PatchAsync(path, new { status = "frozen" }, "\"0\""))
        );
        Assert.Equal(
            (422, "limit_exceeded"),
            await StatusAsync(rest.PatchAsync(path, new { ceiling = 99 }, account.ETag))
        );
        Assert.Equal(
            (409, "account_not_empty"),
            await StatusAsync(rest.PatchAsync(path, new { status = "closed" }, account.ETag))
        );
        var frozen = await rest.PatchAsync(path, new { status = "frozen", ceiling = 150 }, account.ETag);
        Assert.Equal((200, "frozen", 150L), (frozen.Status, frozen.String("status"), frozen.Number("ceiling")));
        Assert.NotEqual(account.ETag, frozen.ETag);
        Assert.Equal((409, "account_frozen"), await StatusAsync(rest.TransferAsync(clearing, card, 1)));

        var open = await rest.PatchAsync(path, new { status = "open" }, frozen.ETag);
        Assert.Equal((422, "limit_exceeded"), await StatusAsync(rest.TransferAsync(clearing, card, 51)));
        await rest.TransferAsync(card, clearing, 100);
        Assert.Equal(
            (412, "version_conflict"),
            await StatusAsync(rest.PatchAsync(path, new { status = "closed" }, open.ETag))
        );
        var closed = await rest.PatchAsync(path, new { status = "closed" }, (await rest.GetAsync(path)).ETag);
        Assert.Equal(
            (409, "account_closed"),
            await StatusAsync(rest.PatchAsync(path, new { status = "open" }, closed.ETag))
        );
        Assert.Equal((409, "account_closed"), await StatusAsync(rest.TransferAsync(clearing, card, 1)));
    }

    [Fact]
    public async Task A_hold_over_rest_is_placed_extended_captured_and_read()
    {
        var (clearing, card) = await PairAsync("held");
        await rest.TransferAsync(clearing, card, 100);
        var payable = await rest.OpenAsync("held-payable");

        var placed = await rest.PostAsync("/v1/accounts/holds", Hold("held", card, 80));
        var path = $"/v1/accounts/holds/{placed.String("id")}";
        var end = TimeProvider
            .System.GetUtcNow()
            .AddHours(2)
            .ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var extended = await rest.PostAsync($"{path}/extend", new { expires_at = end });
        var tooMuch = await rest.PostAsync(
            $"{path}/capture",
            new { amount = 81, capture = new { destination = payable } }
        );
        var captured = await rest.PostAsync(
            $"{path}/capture",
            new { amount = 30, capture = new { destination = payable } }
        );

        Assert.Equal((201, "pending", 80L), (placed.Status, placed.String("state"), placed.Number("held")));
        Assert.Equal((200, end), (extended.Status, extended.String("expires_at")));
        Assert.Equal((422, "limit_exceeded"), (tooMuch.Status, tooMuch.Code));
        Assert.Equal((200, "captured", 30L), (captured.Status, captured.String("state"), captured.Number("captured")));
        Assert.Equal(
            (200, "captured"),
            ((await rest.GetAsync(path)).Status, (await rest.GetAsync(path)).String("state"))
        );
        Assert.Equal(
            (70L, 0L),
            (
                (await rest.GetAsync($"/v1/accounts/{card}")).Number("available"),
                (await rest.GetAsync($"/v1/accounts/{card}")).Number("held")
            )
        );
        var nothing = await rest.PostAsync(
            "/v1/accounts/holds",
            new
            {
                reference = "zero",
                amount = 1,
                sources = new[] { new { account_id = card, max = 0 } },
                expires_at = end,
            }
        );
        Assert.Equal((400, "invalid_request"), (nothing.Status, nothing.Code));
    }

    [Fact]
    public async Task An_overdue_hold_is_expired_by_the_sweeper_alone()
    {
        var (clearing, card) = await PairAsync("swept");
        await rest.TransferAsync(clearing, card, 100);
        var placed = await rest.PostAsync("/v1/accounts/holds", Hold("swept", card, 80));
        await ledger.Database.AsOwnerAsync(
            $"UPDATE holds SET expires_at = now() - interval '1 minute' WHERE reference = 'swept'"
        );

        await Eventually.TrueAsync(async () =>
            (await rest.GetAsync($"/v1/accounts/holds/{placed.String("id")}")).String("state") == "expired"
        );

        Assert.Equal(100, (await rest.GetAsync($"/v1/accounts/{card}")).Number("available"));
        var late = await rest.PostAsync(
            $"/v1/accounts/holds/{placed.String("id")}/capture",
            new { capture = new { destination = clearing } }
        );
        Assert.Equal((409, "hold_expired"), (late.Status, late.Code));
    }

    [Fact]
    public async Task Answers_older_than_thirty_days_are_forgotten_and_the_reference_still_answers()
    {
        var own = new LedgerFixture();
        await own.InitializeAsync();
        var merchant = new RestClient(own);
        var (clearing, card) = (await merchant.OpenAsync("outside", unbounded: true), await merchant.OpenAsync("card"));
        await merchant.TransferAsync(clearing, card, 5, key: "old", reference: "old");
        await own.Database.AsOwnerAsync(
            """
            SELECT add_partition('answers', today - interval '33 days', today - interval '32 days')
              FROM date_trunc('day', now(), 'UTC') AS today;
            UPDATE answers SET created_at = date_trunc('day', now(), 'UTC') - interval '33 days'
            """
        );
        await own.Service.DisposeAsync();
        await own.StartAsync();
        await Eventually.TrueAsync(async () =>
            await own.Database.ScalarAsync<long>("SELECT count(answer_id) FROM answers") == 0
        );

        var again = await merchant.TransferAsync(clearing, card, 5, key: "old", reference: "old");

        Assert.Equal((422, "reference_reused"), (again.Status, again.Code));
        await own.DisposeAsync();
    }

    private static async Task<(int Status, string Code)> StatusAsync(Task<RestAnswer> call)
    {
        var answer = await call;
        return (answer.Status, answer.Status >= 400 ? answer.Code! : "");
    }

    private static object Item(string source, string destination, long amount) =>
        new
        {
            kind = "bulk",
            postings = new[]
            {
                new
                {
                    source,
                    destination,
                    amount,
                },
            },
        };

    private static object Hold(string reference, string account, long amount) =>
        new
        {
            reference,
            amount,
            sources = new[] { new { account_id = account } },
            expires_at = TimeProvider.System.GetUtcNow().AddHours(1),
        };

    private async Task<(string Clearing, string Card)> PairAsync(string name) =>
        (await rest.OpenAsync("outside", unbounded: true), await rest.OpenAsync($"card-{name}"));
}
