using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Ledger;

public sealed class TransactionTests(LedgerFixture ledger) : IClassFixture<LedgerFixture>
{
    [Fact]
    public async Task A_repeat_is_answered_the_same_and_another_request_under_its_key_is_refused()
    {
        var (clearing, card) = (await ledger.OpenAsync("clearing", unbounded: true), await ledger.OpenAsync("tx-1"));

        var first = await ledger.PostAsync("k1", clearing, card, 100);
        var again = await ledger.PostAsync("k1", clearing, card, 100);

        Assert.Equal(first, again);
        Assert.Equal(100, (await ledger.GetAsync(card)).Posted);
        Assert.Equal(
            "idempotency_key_reused",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("k1", clearing, card, 200))
        );
        Assert.Equal(
            "reference_reused",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("k1-other", clearing, card, 100, reference: "k1"))
        );
    }

    [Fact]
    public async Task A_bounded_account_never_goes_below_zero()
    {
        var (clearing, card) = (
            await ledger.OpenAsync("clearing", unbounded: true),
            await ledger.FundAsync("tx-2", 100)
        );

        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("k2", card, clearing, 101))
        );
        Assert.Equal(
            "insufficient_balance",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("k2", card, clearing, 101))
        );
        Assert.Equal(100, (await ledger.GetAsync(card)).Posted);
    }

    [Fact]
    public async Task Assets_do_not_mix()
    {
        var (euros, dollars) = (
            await ledger.OpenAsync("mix", unbounded: true),
            await ledger.OpenAsync("mix", unbounded: true, asset: "USD")
        );

        Assert.Equal(
            "currency_mismatch",
            await LedgerFixture.RefusalAsync(() => ledger.PostAsync("k3", euros, dollars, 1))
        );
    }

    [Fact]
    public async Task Reversals_never_take_back_more_than_was_posted_however_many_race()
    {
        var (clearing, card) = (await ledger.OpenAsync("clearing", unbounded: true), await ledger.OpenAsync("tx-4"));
        var original = (await ledger.PostAsync("k4", clearing, card, 1000)).Transaction.TransactionId;

        var won = await Task.WhenAll(
            Enumerable
                .Range(0, 40)
                .Select(async i =>
                {
                    try
                    {
                        await ReverseAsync(
                            $"rev-{i}",
                            original,
                            new Posting
                            {
                                SourceAccountId = card,
                                DestinationAccountId = clearing,
                                Amount = 300,
                            }
                        );
                        return true;
                    }
                    catch (Grpc.Core.RpcException)
                    {
                        return false;
                    }
                })
        );

        Assert.Equal(3, won.Count(w => w));
        Assert.Equal(100, (await ledger.GetAsync(card)).Posted);
        await ReverseAsync("rev-rest", original);
        Assert.Equal(0, (await ledger.GetAsync(card)).Posted);
        Assert.Equal(
            "reversal_exceeds_original",
            await LedgerFixture.RefusalAsync(() => ReverseAsync("rev-more", original))
        );
    }

    [Fact]
    public async Task Every_entry_is_published_once_with_its_accounts_sequence()
    {
        var (clearing, card) = (await ledger.OpenAsync("clearing", unbounded: true), await ledger.OpenAsync("tx-5"));
        for (var i = 0; i < 5; i++)
        {
            await ledger.PostAsync($"k5-{i}", clearing, card, 10);
        }

        IEnumerable<long> Sequences() =>
            ledger
                .Sidecar.Published.Select(e => e.GetProperty("event").GetProperty("data"))
                .Where(data => data.GetProperty("key").GetString() == card)
                .Select(data => data.GetProperty("sequence").GetInt64());
        await Eventually.TrueAsync(() => Sequences().Count() == 5);

        Assert.Equal([1L, 2, 3, 4, 5], Sequences());
    }

    [Fact]
    public async Task Acknowledged_transactions_survive_a_kill_and_the_books_prove_themselves()
    {
        await using var own = new KillableLedger();
        await own.Ledger.InitializeAsync();
        var (clearing, card) = (
            await own.Ledger.OpenAsync("clearing", unbounded: true),
            await own.Ledger.OpenAsync("tx-6")
        );
        var acknowledged = 0;
        var load = Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async till =>
                {
                    for (var i = 0; ; i++)
                    {
                        try
                        {
                            await own.Ledger.PostAsync($"k6-{till}-{i}", clearing, card, 1);
                            Interlocked.Increment(ref acknowledged);
                        }
                        catch (Grpc.Core.RpcException)
                        {
                            return;
                        }
                    }
                })
        );
        await Eventually.TrueAsync(() => Volatile.Read(ref acknowledged) > 200);
        own.Ledger.Kill();
        await load;

        await own.Ledger.Service.DisposeAsync();
        await own.Ledger.StartAsync();
        var posted = (await own.Ledger.GetAsync(card)).Posted;

        // Each till may have one posting whose acknowledgement the kill ate.
        Assert.InRange(posted, acknowledged, acknowledged + 8);
        await using var connection = new NpgsqlConnection(own.Ledger.Database.ConnectionString);
        await connection.OpenAsync();
        await using var sum = new NpgsqlCommand(
            "SELECT sum(amount)::bigint, count(*) FILTER (WHERE amount > 0) FROM ledger_entries",
            connection
        );
        await using var row = await sum.ExecuteReaderAsync();
        Assert.True(await row.ReadAsync());
        Assert.Equal((0L, posted), (row.GetInt64(0), row.GetInt64(1)));
    }

    [Theory]
    [InlineData("UPDATE ledger_entries SET amount = amount + 1")]
    [InlineData("DELETE FROM transactions")]
    [InlineData("TRUNCATE ledger_entries")]
    public async Task The_books_refuse_changes_even_to_their_owner(string sql)
    {
        await using var connection = new NpgsqlConnection(ledger.Database.OwnerConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);

        await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
    }

    [Theory]
    [InlineData("""{"reference":"r","kind":"load","postings":[]}""", 400, "invalid_request")]
    [InlineData("""{"reference":"r","kind":"load"}""", 400, "invalid_request")]
    [InlineData(
        """{"reference":"r","kind":"load","postings":[{"source":"x","destination":"y","amount":1}]}""",
        400,
        "invalid_request"
    )]
    [InlineData(
        """{"reference":"r","kind":"load","postings":[{"source":"x","destination":"y","amount":"1"}]}""",
        400,
        "invalid_request"
    )]
    [InlineData("""{"reference":"r","kind":"load","postings":[],"balance":5}""", 400, "unknown_field")]
    [InlineData("""{"reference":"r","reference":"s","kind":"load","postings":[]}""", 400, "invalid_request")]
    [InlineData("not json", 400, "invalid_request")]
    public async Task Bad_bodies_are_refused_with_a_stable_code(string body, int status, string code)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/transactions")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
            Headers =
            {
                Authorization = new AuthenticationHeaderValue(
                    "Bearer",
                    ledger.Sidecar.IssueKey(ledger.Merchant, "ledger:write")
                ),
            },
        };
        request.Headers.Add("Idempotency-Key", $"bad-{body.GetHashCode(StringComparison.Ordinal)}");

        using var answer = await ledger.Service.Public.SendAsync(request);

        Assert.Equal((HttpStatusCode)status, answer.StatusCode);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
        var problem = JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
        Assert.Equal(code, problem.GetProperty("code").GetString());
    }

    private async Task<PostTransactionResponse> ReverseAsync(string key, string original, params Posting[] postings)
    {
        var request = new ReverseTransactionRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = key,
            TransactionId = original,
            Reference = key,
            Kind = "reversal",
        };
        request.Postings.AddRange(postings);
        return await ledger.Client.ReverseTransactionAsync(request, ledger.Options);
    }

    /// <summary>A ledger of this test alone, since it gets killed.</summary>
    private sealed class KillableLedger : IAsyncDisposable
    {
        public LedgerFixture Ledger { get; } = new() { IsProcess = true };

        public async ValueTask DisposeAsync() => await Ledger.DisposeAsync();
    }
}
