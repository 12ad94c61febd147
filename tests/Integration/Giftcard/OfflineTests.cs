using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Tills that sold while the line was down, and tell about it once, twice or in pieces.</summary>
public sealed class OfflineTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    [Fact]
    [Trait("Bug", "OCA/pos#185")]
    public async Task A_batch_that_is_synchronised_again_and_again_takes_each_payment_once()
    {
        var (card, code) = await api.SellAsync(5000);
        var till = await TillAsync(2000, 10_000);
        var items = new[] { till.Item(code, 700), till.Item(code, 800), till.Item(code, 400) };
        var first = await SettledAsync(till, items);
        Assert.Equal(["done", "done", "done"], States(first));
        foreach (var again in new[] { items, items[..2], items[1..], items })
        {
            var answer = await UploadAsync(till, again);
            Assert.All(
                answer.GetProperty("items").EnumerateArray(),
                i => Assert.Equal("done", i.GetProperty("state").GetString())
            );
        }

        var storm = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => UploadAsync(till, items)));
        Assert.Single(storm.Select(s => s.GetRawText()).Distinct());
        Assert.Equal(3100, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(
            3,
            (await api.GetAsync($"/v1/redemptions?gift_card_id={card}")).GetProperty("data").GetArrayLength()
        );
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task What_a_card_can_not_pay_any_more_is_the_merchants_receivable_and_never_a_negative_card()
    {
        var (card, code) = await api.SellAsync(1000);
        var (gone, absent) = ("0000-0000-0000-0000", await BlockedAsync());
        var till = await TillAsync(2000, 10_000);
        var before = Receivable();
        var answer = await SettledAsync(
            till,
            till.Item(code, 700),
            till.Item(code, 900),
            till.Item(gone, 500),
            till.Item(absent, 600)
        );
        var items = answer.GetProperty("items").EnumerateArray().ToList();
        Assert.Equal(
            [(700, 0), (300, 600), (0, 500), (0, 600)],
            items.Select(i => (GiftcardApi.Amount(i, "captured"), GiftcardApi.Amount(i, "shortfall")))
        );
        Assert.Equal("gift_card_not_usable", items[2].GetProperty("code").GetString());
        Assert.Equal(before - 1700, Receivable());
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task An_item_beyond_the_caps_or_after_the_end_is_refused_alone()
    {
        var (card, code) = await api.SellAsync(5000);
        var till = await TillAsync(1000, 1500);
        var answer = await SettledAsync(
            till,
            till.Item(code, 1001),
            till.Item(code, 600),
            till.Item(code, 500),
            till.Item(code, 100, at: till.Ends.AddSeconds(1)),
            till.Item("0000-0000-0000-0000", 901),
            till.Item(code, 400, currency: "CHF"),
            till.Item(code, 400)
        );
        Assert.Equal(["refused", "done", "refused", "refused", "refused", "refused", "done"], States(answer));
        Assert.Equal(
            ["limit_exceeded", "currency_mismatch"],
            answer
                .GetProperty("items")
                .EnumerateArray()
                .Where(i => i.GetProperty("state").GetString() == "refused")
                .Select(i => i.GetProperty("code").GetString())
                .Distinct()
        );
        Assert.Equal(4000, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task A_payment_that_had_reached_us_before_the_line_broke_is_not_taken_twice()
    {
        var (card, code) = await api.SellAsync(5000);
        await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, 700, reference: "tck-offline"), 201);
        var till = await TillAsync(2000, 10_000);
        var item = (await UploadAsync(till, till.Item(code, 700, reference: "tck-offline"))).GetProperty("items")[0];
        Assert.Equal(
            ("refused", "reference_reused"),
            (item.GetProperty("state").GetString(), item.GetProperty("code").GetString())
        );
        Assert.Equal(4300, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Fact]
    public async Task Items_that_were_changed_left_out_or_belong_to_another_till_are_refused_together()
    {
        var (card, code) = await api.SellAsync(5000);
        var till = await TillAsync(2000, 10_000);
        var (one, two, three) = (till.Item(code, 100), till.Item(code, 200), till.Item(code, 300));
        Assert.Equal("offline_gap", GiftcardApi.Code(await UploadAsync(till, 409, two)));
        Assert.Equal("offline_chain_broken", GiftcardApi.Code(await UploadAsync(till, 422, one with { Amount = 1 })));
        Assert.Equal("invalid_request", GiftcardApi.Code(await UploadAsync(till, 400, one, three)));
        await SettledAsync(till, one, two);
        var forged = till with { Counter = 1, Link = Convert.FromHexString(one.Hash) };
        Assert.Equal("offline_chain_broken", GiftcardApi.Code(await UploadAsync(till, 422, forged.Item(code, 1999))));
        Assert.Equal(
            "offline_allowance_invalid",
            GiftcardApi.Code(await UploadAsync(till with { Terminal = NewTerminal() }, 422, three))
        );
        var raised = till.Token.Split('.');
        var swapped = till with
        {
            Token = $"{raised[0]}.{(await TillAsync(90_000, 90_000)).Token.Split('.')[1]}.{raised[2]}",
        };
        Assert.Equal("offline_allowance_invalid", GiftcardApi.Code(await UploadAsync(swapped, 422, three)));
        Assert.Equal(
            "offline_allowance_invalid",
            GiftcardApi.Code(await UploadAsync(till with { Token = "x.y.z" }, 422, three))
        );
        var (_, stranger) = api.NewMerchant();
        Assert.Equal(
            "offline_allowance_invalid",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/terminals/{till.Terminal}/offline_batches",
                    Body(till, three),
                    422,
                    key: stranger
                )
            )
        );
        Assert.Equal(4700, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
    }

    [Theory]
    [InlineData("spend")]
    [InlineData("post")]
    public async Task An_item_that_the_ledger_did_not_answer_is_carried_out_later_and_once(string call)
    {
        var (card, code) = await api.SellAsync(1000);
        var till = await TillAsync(2000, 10_000);
        var item = till.Item(code, 1500);
        api.Ledger.MuteAfter[call] = true;
        Assert.Equal(["pending"], States(await UploadAsync(till, item)));
        api.Ledger.MuteAfter.Clear();
        await Eventually.TrueAsync(async () => States(await UploadAsync(till, item)).SequenceEqual(["done"]));
        var done = (await UploadAsync(till, item)).GetProperty("items")[0];
        Assert.Equal((1000, 500), (GiftcardApi.Amount(done, "captured"), GiftcardApi.Amount(done, "shortfall")));
        Assert.Equal(0, GiftcardApi.Amount(await api.GetAsync($"/v1/gift_cards/{card}"), "balance"));
        Assert.Equal(0, api.Ledger.Total());
    }

    [Fact]
    public async Task An_allowance_is_signed_for_anybody_who_has_the_public_key()
    {
        var terminal = NewTerminal();
        var path = $"/v1/terminals/{terminal}/offline_allowances";
        var answer = await api.PostAsync(path, Terms(500, 1000), 201);
        var jwk = answer.GetProperty("public_key");
        byte[] Part(string name) => System.Buffers.Text.Base64Url.DecodeFromChars(jwk.GetProperty(name).GetString());
        using var key = ECDsa.Create(
            new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new() { X = Part("x"), Y = Part("y") },
            }
        );
        var parts = answer.GetProperty("token").GetString()!.Split('.');
        Assert.True(
            key.VerifyData(
                Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"),
                System.Buffers.Text.Base64Url.DecodeFromChars(parts[2]),
                HashAlgorithmName.SHA256
            )
        );
        var claims = JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(parts[1])).RootElement;
        Assert.Equal(
            (terminal, 500, 1000),
            (
                claims.GetProperty("sub").GetString(),
                claims.GetProperty("card_cap").GetInt64(),
                claims.GetProperty("total_cap").GetInt64()
            )
        );
        Assert.Equal("invalid_request", GiftcardApi.Code(await api.PostAsync(path, Terms(1001, 1000), 400)));
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    path,
                    new
                    {
                        card_cap = GiftcardApi.Eur(1),
                        total_cap = GiftcardApi.Eur(1),
                        valid_seconds = 1,
                    },
                    400
                )
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await UploadAsync(
                    new Till(terminal, answer.GetProperty("token").GetString()!, TimeProvider.System.GetUtcNow(), []),
                    400
                )
            )
        );
    }

    private static object Terms(long card, long total) =>
        new
        {
            card_cap = GiftcardApi.Eur(card),
            total_cap = GiftcardApi.Eur(total),
            valid_seconds = 3600,
        };

    private static string NewTerminal() => new TerminalId(Guid.CreateVersion7()).ToString();

    private long Receivable() =>
        api.Ledger.Names(api.Merchant.ToString()).Contains("merchant:receivable")
            ? api.Ledger.AccountNamed(api.Merchant.ToString(), "merchant:receivable").Posted
            : 0;

    private async Task<string> BlockedAsync()
    {
        var (id, code) = await api.SellAsync(1000);
        await api.PostAsync($"/v1/gift_cards/{id}/block", null);
        return code;
    }

    private async Task<Till> TillAsync(long cardCap, long totalCap)
    {
        var terminal = NewTerminal();
        var answer = await api.PostAsync($"/v1/terminals/{terminal}/offline_allowances", Terms(cardCap, totalCap), 201);
        return new(
            terminal,
            answer.GetProperty("token").GetString()!,
            answer.GetProperty("expires_at").GetDateTimeOffset(),
            Convert.FromHexString(answer.GetProperty("first_link").GetString()!)
        );
    }

    /// <summary>Sends a batch until nothing of it waits: a slow machine leaves some items to the sweeper.</summary>
    private async Task<JsonElement> SettledAsync(Till till, params Item[] items)
    {
        JsonElement answer = default;
        await Eventually.TrueAsync(async () =>
        {
            answer = await UploadAsync(till, items);
            return !States(answer).Contains("pending");
        });
        return answer;
    }

    private Task<JsonElement> UploadAsync(Till till, params Item[] items) => UploadAsync(till, 200, items);

    private Task<JsonElement> UploadAsync(Till till, int status, params Item[] items) =>
        api.PostAsync($"/v1/terminals/{till.Terminal}/offline_batches", Body(till, items), status, "");

    private static object Body(Till till, params Item[] items) =>
        new
        {
            allowance = till.Token,
            items = items.Select(i => new
            {
                counter = i.Counter,
                gift_card = new { code = i.Code },
                amount = new { amount = i.Amount, currency = i.Currency },
                occurred_at = i.At,
                hash = i.Hash,
                reference = i.Reference,
            }),
        };

    private static IEnumerable<string?> States(JsonElement answer) =>
        [.. answer.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("state").GetString())];

    private sealed record Item(
        int Counter,
        string Code,
        long Amount,
        string Currency,
        string At,
        string? Reference,
        string Hash
    );

    /// <summary>
    /// A till's own side of the chain, written from the documentation and not from the service's code.
    /// </summary>
    private sealed record Till(string Terminal, string Token, DateTimeOffset Ends, byte[] Link)
    {
        public byte[] Link { get; set; } = Link;

        public int Counter { get; set; }

        public Item Item(
            string code,
            long amount,
            string currency = "EUR",
            DateTimeOffset? at = null,
            string? reference = null
        )
        {
            var time = (at ?? TimeProvider.System.GetUtcNow()).ToString(
                "yyyy-MM-ddTHH:mm:ss.fffZ",
                CultureInfo.InvariantCulture
            );
            Counter++;
            Link = SHA256.HashData(
                Encoding.UTF8.GetBytes(
                    $"{Convert.ToHexStringLower(Link)}\n{Counter}\n{code.Replace("-", "", StringComparison.Ordinal)}\n{amount}\n{currency}\n{time}\n{reference}"
                )
            );
            return new(Counter, code, amount, currency, time, reference, Convert.ToHexStringLower(Link));
        }
    }
}
