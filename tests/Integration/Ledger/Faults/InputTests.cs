using Grpc.Core;
using LocalPlus.Contracts.Ledger.V1;

namespace LocalPlus.Tests.Integration.Ledger.Faults;

/// <summary>What is wrong in a request is said before anything happens, by both doors.</summary>
public sealed class InputTests : IClassFixture<LedgerFixture>
{
    private readonly LedgerFixture ledger;
    private readonly RestClient rest;

    public InputTests(LedgerFixture ledger) => (this.ledger, rest) = (ledger, new RestClient(ledger));

    [Fact]
    public async Task Fault_22_no_text_field_of_the_rest_door_takes_a_nul_or_a_control_character()
    {
        var (from, to) = (await rest.OpenAsync("nul-from", unbounded: true), await rest.OpenAsync("nul-to"));
        var original = (await rest.TransferAsync(from, to, 100)).String("id");
        var postings = new[]
        {
            new
            {
                source = from,
                destination = to,
                amount = 1,
            },
        };
        var soon = TimeProvider.System.GetUtcNow().AddDays(1);
        object Hold(string reference, object? metadata) =>
            new
            {
                reference,
                amount = 1,
                sources = new[] { new { account_id = to } },
                expires_at = soon,
                metadata,
            };
        var hold = (await rest.PostAsync("/v1/accounts/holds", Hold("nul-hold", null))).String("id");
        foreach (var bad in (string[])["a\0b", "a\u0007b"])
        {
            object[] metadata =
            [
                new Dictionary<string, string> { [bad] = "v" },
                new Dictionary<string, string> { ["k"] = "a\0b" },
            ];
            (string Path, object Body)[] bodies =
            [
                ("/v1/accounts", new { name = bad, asset = "EUR" }),
                ("/v1/accounts", new { name = "n", asset = "PTS:" + bad }),
                ("/v1/transactions", new { kind = bad, postings }),
                (
                    "/v1/transactions",
                    new
                    {
                        kind = "k",
                        reference = bad,
                        postings,
                    }
                ),
                (
                    "/v1/transactions/bulk",
                    new
                    {
                        items = new[]
                        {
                            new
                            {
                                kind = "k",
                                reference = bad,
                                postings,
                            },
                        },
                    }
                ),
                (
                    "/v1/transactions/earn",
                    new
                    {
                        account_id = to,
                        points = 1,
                        reference = bad,
                    }
                ),
                ($"/v1/transactions/{original}/reverse", new { reference = bad }),
                ("/v1/accounts/holds", Hold(bad, null)),
                ($"/v1/accounts/holds/{hold}/capture", new { reference = bad, capture = new { destination = from } }),
                .. metadata.SelectMany(m =>
                    new (string, object)[]
                    {
                        (
                            "/v1/transactions",
                            new
                            {
                                kind = "k",
                                metadata = m,
                                postings,
                            }
                        ),
                        ("/v1/accounts/holds", Hold("m", m)),
                        ($"/v1/transactions/{original}/reverse", new { metadata = m }),
                        (
                            $"/v1/accounts/holds/{hold}/capture",
                            new { metadata = m, capture = new { destination = from } }
                        ),
                    }
                ),
            ];
            foreach (var (path, body) in bodies)
            {
                var answer = await rest.PostAsync(path, body);
                Assert.True(answer.Code == "invalid_request", $"{path} {answer.Text}");
            }
        }

        Assert.Equal(100, await rest.PostedAsync(to));
        Assert.Equal("pending", (await rest.GetAsync($"/v1/accounts/holds/{hold}")).String("state"));
    }

    [Fact]
    public async Task Fault_22_no_text_field_of_the_grpc_door_takes_a_nul_or_a_control_character()
    {
        var (card, till) = (
            await ledger.FundAsync("nul-card", 100),
            await ledger.OpenAsync("nul-till", unbounded: true)
        );
        var merchant = ledger.Merchant.ToString();
        foreach (var bad in (string[])["a\0b", "a\u0007b"])
        {
            PostTransactionRequest Post() =>
                new()
                {
                    MerchantId = merchant,
                    IdempotencyKey = Key(),
                    Kind = "load",
                    Reference = Key(),
                    Postings =
                    {
                        new Posting
                        {
                            SourceAccountId = card,
                            DestinationAccountId = till,
                            Amount = 1,
                        },
                    },
                };
            SpendRequest Spend() =>
                new()
                {
                    MerchantId = merchant,
                    IdempotencyKey = Key(),
                    Amount = 1,
                    Sources = { new SpendSource { AccountId = card } },
                    DestinationAccountId = till,
                };
            PlaceHoldRequest Hold() => ledger.HoldOf(Key(), 1, card);
            await RefusedAsync(Post(), r => r.Reference = bad, ledger.Client.PostTransactionAsync);
            await RefusedAsync(Post(), r => r.Kind = bad, ledger.Client.PostTransactionAsync);
            await RefusedAsync(Post(), r => r.IdempotencyKey = bad, ledger.Client.PostTransactionAsync);
            await RefusedAsync(Post(), r => r.Metadata.Add(bad, "v"), ledger.Client.PostTransactionAsync);
            await RefusedAsync(Post(), r => r.Metadata.Add("k", "a\0b"), ledger.Client.PostTransactionAsync);
            await RefusedAsync(Spend(), r => r.Reference = bad, ledger.Client.SpendAsync);
            await RefusedAsync(Spend(), r => r.Kind = bad, ledger.Client.SpendAsync);
            await RefusedAsync(Spend(), r => r.Metadata.Add(bad, "v"), ledger.Client.SpendAsync);
            await RefusedAsync(Hold(), r => r.Reference = bad, ledger.Client.PlaceHoldAsync);
            await RefusedAsync(Hold(), r => r.Metadata.Add(bad, "v"), ledger.Client.PlaceHoldAsync);
            await RefusedAsync(
                new GetHoldRequest { MerchantId = merchant, Reference = bad },
                _ => { },
                ledger.Client.GetHoldAsync
            );
            await RefusedAsync(
                new OpenAccountsRequest
                {
                    MerchantId = merchant,
                    Accounts =
                    {
                        new OpenAccount { Name = bad, Asset = "EUR" },
                    },
                },
                _ => { },
                ledger.Client.OpenAccountsAsync
            );
        }

        Assert.Equal(100, (await ledger.GetAsync(card)).Posted);
    }

    [Fact]
    public async Task Fault_24_an_instant_without_an_offset_is_none()
    {
        var account = await rest.OpenAsync("zoneless");
        foreach (
            var instant in (string[])
                ["2031-12-31", "2031-12-31T00:00:00", "2031-12-31T00:00", "1767139200", "2031-12-31T00:00:00%2B0100"]
        )
        {
            foreach (
                var path in (string[])
                    [
                        "balance?as_of=",
                        "balance?known_at=",
                        "statement?from=",
                        "statement?to=",
                        "entries?from=",
                        "entries/export?to=",
                    ]
            )
            {
                var answer = await rest.GetAsync($"/v1/accounts/{account}/{path}{instant}");
                Assert.True(answer.Code == "invalid_request", $"{path}{instant} {answer.Text}");
            }

            Assert.Equal("invalid_request", (await rest.GetAsync($"/v1/transactions?from={instant}")).Code);
        }

        Assert.Equal(
            200,
            (await rest.GetAsync($"/v1/accounts/{account}/balance?as_of=2031-12-31T00:00:00%2B11:00")).Status
        );
    }

    [Fact]
    public async Task Fault_24_an_instant_that_an_answer_shows_finds_what_it_was_shown_for()
    {
        var (from, to) = (await rest.OpenAsync("shown-from", unbounded: true), await rest.OpenAsync("shown-to"));

        // Opened, and changed, with the clock's full precision in mind: what is posted next is recorded no earlier.
        var opened = await rest.GetAsync($"/v1/accounts/{to}");
        Assert.Equal(200, (await rest.PatchAsync($"/v1/accounts/{to}", new { ceiling = 1_000 }, opened.ETag)).Status);
        for (var i = 1L; i <= 5; i++)
        {
            var shown = (await rest.TransferAsync(from, to, 1)).String("recorded_at");
            var balance = await rest.GetAsync($"/v1/accounts/{to}/balance?as_of={shown}");
            var known = await rest.GetAsync($"/v1/accounts/{to}/balance?known_at={shown}");
            Assert.Equal((i, i), (balance.Number("posted"), known.Number("posted")));
            Assert.NotEmpty((await rest.GetAsync($"/v1/accounts/{to}/entries?from={shown}"))["data"].EnumerateArray());
        }
    }

    [Theory]
    [InlineData("EU")]
    [InlineData("eur")]
    [InlineData("PTS:")]
    [InlineData("ZZZ")]
    [InlineData("EUU")]
    public async Task Fault_25_no_account_has_an_asset_that_is_none(string asset)
    {
        Assert.Equal("invalid_request", (await rest.PostAsync("/v1/accounts", new { name = "asset", asset })).Code);
        Assert.Equal(
            "invalid_request",
            await LedgerFixture.RefusalAsync(() => ledger.OpenAsync("asset", asset: asset))
        );
    }

    [Fact]
    public async Task Fault_28_a_reference_that_is_taken_names_what_has_it()
    {
        var (from, to) = (await rest.OpenAsync("taken-from", unbounded: true), await rest.OpenAsync("taken-to"));
        var first = await rest.TransferAsync(from, to, 100, reference: "taken");
        var hold = new
        {
            reference = "taken-hold",
            amount = 1,
            sources = new[] { new { account_id = to } },
            expires_at = TimeProvider.System.GetUtcNow().AddDays(1),
        };
        var held = await rest.PostAsync("/v1/accounts/holds", hold);

        var (again, heldAgain) = (
            await rest.TransferAsync(from, to, 5, reference: "taken"),
            await rest.PostAsync("/v1/accounts/holds", hold)
        );

        Assert.Equal(("reference_reused", first.String("id")), (again.Code, again.String("used_by")));
        Assert.Equal(("reference_reused", held.String("id")), (heldAgain.Code, heldAgain.String("used_by")));
        Assert.Contains(first.String("id"), again.String("detail"), StringComparison.Ordinal);
    }

    private static string Key() => Guid.CreateVersion7().ToString("N");

    private async Task RefusedAsync<TRequest, TResponse>(
        TRequest request,
        Action<TRequest> spoil,
        Func<TRequest, CallOptions, AsyncUnaryCall<TResponse>> call
    )
    {
        spoil(request);
        Assert.Equal(
            "invalid_request",
            await LedgerFixture.RefusalAsync(async () => await call(request, ledger.Options))
        );
    }
}
