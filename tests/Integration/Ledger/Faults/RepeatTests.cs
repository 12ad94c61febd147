using System.Security.Cryptography;
using System.Text.Json;
using Google.Protobuf;
using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Ledger.Faults;

/// <summary>Equal requests at once: one effect, and everybody hears of it.</summary>
public sealed class RepeatTests : IClassFixture<LedgerFixture>
{
    private static readonly object Metadata = new { b = "2", a = "1" };
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;

    public RepeatTests(LedgerFixture ledger) => (this.ledger, rest) = (ledger, new RestClient(ledger));

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(50)]
    public async Task Fault_01_equal_requests_at_once_get_one_answer_by_every_route(int times)
    {
        var name = $"at-once-{times}";
        var (from, to) = (await rest.OpenAsync($"{name}-from", unbounded: true), await rest.OpenAsync($"{name}-to"));
        var member = await rest.OpenAsync($"{name}-member", "PTS:club");
        await rest.TransferAsync(from, to, 1_000);
        var day = TimeProvider.System.GetUtcNow().AddDays(1);
        var original = (await rest.TransferAsync(from, to, 10)).String("id");
        var (captured, released, extended) = (
            await HoldAsync($"{name}-c", to),
            await HoldAsync($"{name}-r", to),
            await HoldAsync($"{name}-e", to)
        );
        object Body(string reference) =>
            new
            {
                kind = "every",
                reference,
                effective_at = day,
                metadata = Metadata,
                postings = new[] { Posting(from, to) },
            };
        (string Path, object Body)[] routes =
        [
            (
                "/v1/accounts",
                new
                {
                    name,
                    asset = "EUR",
                    unbounded = false,
                    floor = -5,
                    ceiling = 500,
                    striped = false,
                }
            ),
            ("/v1/transactions", Body($"{name}-post")),
            ("/v1/transactions/bulk", new { items = new[] { Body($"{name}-item") }, atomic = false }),
            (
                "/v1/transactions/bulk",
                new { items = new[] { Body($"{name}-atomic"), Body($"{name}-atomic-2") }, atomic = true }
            ),
            ("/v1/transactions/earn", Points($"{name}-earn", member, day)),
            ("/v1/transactions/burn", Points($"{name}-burn", member, day)),
            (
                $"/v1/transactions/{original}/reverse",
                new
                {
                    reference = $"{name}-back",
                    postings = new[] { Posting(to, from) },
                    metadata = Metadata,
                }
            ),
            (
                "/v1/accounts/holds",
                new
                {
                    reference = $"{name}-hold",
                    amount = 5,
                    sources = new[] { new { account_id = to, max = 5 } },
                    allow_partial = true,
                    expires_at = day,
                    metadata = Metadata,
                    capture = new { destination = from, postings = new[] { Posting(from, to) } },
                }
            ),
            (
                $"/v1/accounts/holds/{captured}/capture",
                new
                {
                    amount = 3,
                    reference = $"{name}-capture",
                    metadata = Metadata,
                    capture = new { destination = from, postings = new[] { Posting(from, to) } },
                }
            ),
            ($"/v1/accounts/holds/{released}/release", new { }),
            ($"/v1/accounts/holds/{extended}/extend", new { expires_at = day }),
        ];
        foreach (var (path, body) in routes)
        {
            var key = $"{name}{path}{JsonSerializer.Serialize(body).Length}";
            var answers = await Task.WhenAll(Enumerable.Range(0, times).Select(_ => rest.PostAsync(path, body, key)));
            var again = await rest.PostAsync(path, body, key);

            Assert.True(again.Status is 200 or 201, $"{path} {again.Text}");
            // Who was not let in did nothing and may come again; everybody else has the one answer.
            Assert.All(
                answers,
                answer =>
                    Assert.True(
                        answer.Code is "request_in_progress" or "quota_exceeded" or "busy" or "overloaded"
                            || (answer.Status, answer.Text) == (again.Status, again.Text),
                        $"{path} {answer.Text}"
                    )
            );
        }
    }

    [Fact]
    public async Task Fault_15_the_order_of_metadata_is_not_another_request()
    {
        var (from, to) = (await rest.OpenAsync("order-from", unbounded: true), await rest.OpenAsync("order-to"));
        string Body(string metadata) =>
            $$"""
                {"kind":"order","metadata":{{metadata}},
                 "postings":[{"source":"{{from}}","destination":"{{to}}","amount":1}]}
                """;

        var first = await rest.PostAsync("/v1/transactions", Body("""{"a":"1","b":"2"}"""), "order");
        var second = await rest.PostAsync("/v1/transactions", Body("""{"b":"2","a":"1"}"""), "order");

        Assert.Equal((201, 201, first.Text), (first.Status, second.Status, second.Text));
        Assert.Equal(1, await rest.PostedAsync(to));
    }

    [Fact]
    public async Task Fault_15_a_repeat_is_known_after_the_key_of_fingerprints_was_replaced()
    {
        var (from, to) = (await rest.OpenAsync("turned-from", unbounded: true), await rest.OpenAsync("turned-to"));
        var card = await ledger.OpenAsync("turned-card", unbounded: true);
        var till = await ledger.OpenAsync("turned-till", unbounded: true);
        object Item(int amount) =>
            new
            {
                kind = "turned",
                postings = new[]
                {
                    new
                    {
                        source = from,
                        destination = to,
                        amount,
                    },
                },
            };
        object Bulk(int amount) => new { items = new[] { Item(amount), Item(1) } };
        SpendRequest Spend(long amount) =>
            new()
            {
                MerchantId = ledger.Merchant.ToString(),
                IdempotencyKey = "turned",
                Amount = amount,
                Sources = { new SpendSource { AccountId = card } },
                DestinationAccountId = till,
            };
        var before = (
            Post: await AnswerAsync("/v1/transactions", Item(5), "turned"),
            Bulk: await AnswerAsync("/v1/transactions/bulk", Bulk(3), "turned-bulk"),
            Spend: await SpendAsync(Spend(7))
        );

        await ledger.RestartAsync(("Secrets__fingerprint_keys", $"2:{new string('g', 40)},1:{new string('f', 40)}"));

        Assert.Equal(before.Post.Text, (await AnswerAsync("/v1/transactions", Item(5), "turned")).Text);
        Assert.Equal(before.Bulk.Text, (await AnswerAsync("/v1/transactions/bulk", Bulk(3), "turned-bulk")).Text);
        Assert.Equal(before.Spend, await SpendAsync(Spend(7)));
        Assert.Equal((9, 7), (await rest.PostedAsync(to), (await ledger.GetAsync(till)).Posted));
        Assert.Equal("idempotency_key_reused", (await AnswerAsync("/v1/transactions", Item(6), "turned")).Code);
        Assert.Equal(
            "idempotency_key_reused",
            (await AnswerAsync("/v1/transactions/bulk", Bulk(4), "turned-bulk")).Code
        );
        Assert.Equal("idempotency_key_reused", await LedgerFixture.RefusalAsync(() => SpendAsync(Spend(8))));
    }

    [Fact]
    public async Task Fault_15_what_is_kept_of_a_request_can_not_be_tried_without_the_key()
    {
        var (from, to) = (await ledger.OpenAsync("kept-from", unbounded: true), await ledger.OpenAsync("kept-to"));
        var request = new PostTransactionRequest
        {
            MerchantId = ledger.Merchant.ToString(),
            IdempotencyKey = "kept",
            Kind = "load",
            Postings =
            {
                new Posting
                {
                    SourceAccountId = from,
                    DestinationAccountId = to,
                    Amount = 4,
                },
            },
        };
        await RepeatedAsync(async () => await ledger.Client.PostTransactionAsync(request, ledger.Options));
        var plain = Convert.ToHexString(SHA256.HashData(request.ToByteArray()));

        Assert.Equal(
            (0, 0),
            (
                await ledger.Database.ScalarAsync<long>(
                    $"SELECT count(*) FROM answers WHERE upper(encode(fingerprint, 'hex')) = '{plain}'"
                ),
                await ledger.Database.ScalarAsync<long>(
                    "SELECT count(*) FROM answers WHERE get_byte(fingerprint, 0) NOT IN (1, 2)"
                )
            )
        );
    }

    private static object Posting(string source, string destination) =>
        new
        {
            source,
            destination,
            amount = 2,
        };

    private static object Points(string reference, string account_id, DateTimeOffset effective_at) =>
        new
        {
            account_id,
            points = 10,
            value = new { amount = 3, currency = "EUR" },
            reference,
            effective_at,
            metadata = Metadata,
        };

    /// <summary>The answer, once the ledger is not too busy to give one.</summary>
    private async Task<RestAnswer> AnswerAsync(string path, object body, string key)
    {
        RestAnswer? answer = null;
        await Eventually.TrueAsync(async () =>
            (answer = await rest.PostAsync(path, body, key)).Code
                is not ("busy" or "overloaded" or "request_in_progress")
        );
        return answer!;
    }

    private Task<SpendResponse> SpendAsync(SpendRequest request) =>
        RepeatedAsync(async () => await ledger.Client.SpendAsync(request, ledger.Options));

    private static async Task<T> RepeatedAsync<T>(Func<Task<T>> call)
        where T : class
    {
        T? answer = null;
        await Eventually.TrueAsync(async () =>
        {
            try
            {
                answer = await call();
                return true;
            }
            catch (RpcException busy) when (busy.Trailers.GetValue("localplus-code") == "busy")
            {
                return false;
            }
        });
        return answer!;
    }

    private async Task<string> HoldAsync(string reference, string account_id) =>
        (
            await rest.PostAsync(
                "/v1/accounts/holds",
                new
                {
                    reference,
                    amount = 10,
                    sources = new[] { new { account_id } },
                    expires_at = TimeProvider.System.GetUtcNow().AddMinutes(5),
                }
            )
        ).String("id");
}
