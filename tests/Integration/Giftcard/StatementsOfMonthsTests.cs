using System.Net.Http.Headers;
using System.Text.Json;
using LocalPlus.Giftcard.Reports;
using LocalPlus.Giftcard.Settlements;
using LocalPlus.Kernel;
using PdfSharp.Pdf.IO;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>
/// Months between the merchants of a coalition are closed once, go on from each other, and end at what the ledger says.
/// </summary>
public sealed class StatementsOfMonthsTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Path = "/v1/reports/settlement/statements";
    private static readonly DateOnly Now = Month.Of(TimeProvider.System.GetUtcNow());
    private static readonly string Before = Month.Name(Now.AddMonths(-2));
    private static readonly string Last = Month.Name(Now.AddMonths(-1));

    [Fact]
    public async Task A_month_opens_with_what_the_one_before_closed_with_and_ends_at_the_ledgers_balance()
    {
        var (issuer, shop) = (api.NewMerchant(), api.NewMerchant());
        var code = await CardAsync(issuer.Key, shop);
        var first = await PayAsync(code, 1_999, shop.Key);
        await RefundAsync(first, 333, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-2).AddDays(4));
        var afterFirst = Posted(issuer.Id, shop.Id);
        var second = await PayAsync(code, 4_001, shop.Key);
        await PayAsync(code, 7, shop.Key);
        await RefundAsync(second, 1, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-1).AddDays(1));
        var afterSecond = Posted(issuer.Id, shop.Id);

        // The earlier one is closed with it.
        var closed = Assert.Single(await CloseAsync(Last, issuer.Key));
        var earlier = Assert.Single(await ListAsync(Before, issuer.Key));
        Assert.Equal(
            (0, 1_999, 333, afterFirst),
            (
                Amount(earlier, "opening"),
                Amount(earlier, "captured"),
                Amount(earlier, "refunded"),
                Amount(earlier, "closing")
            )
        );
        Assert.Equal(
            (afterFirst, 4_008, 1, afterSecond),
            (
                Amount(closed, "opening"),
                Amount(closed, "captured"),
                Amount(closed, "refunded"),
                Amount(closed, "closing")
            )
        );
        Assert.Equal(
            (2, 1, "owed_to_others"),
            (
                closed.GetProperty("redemptions").GetInt32(),
                closed.GetProperty("refunds").GetInt32(),
                closed.GetProperty("direction").GetString()
            )
        );
        // The other merchant reads the same, and nobody else anything.
        var theirs = Assert.Single(await ListAsync(Last, shop.Key));
        Assert.Equal("owed_to_us", theirs.GetProperty("direction").GetString());
        Assert.Equal(Amount(closed, "closing"), Amount(theirs, "closing"));
        var id = closed.GetProperty("id").GetString();
        Assert.Equal(1, await PagesAsync(id!, issuer.Key));
        Assert.Equal(1, await PagesAsync(id!, shop.Key));
        Assert.Equal(0, await PagesAsync(id!, api.Key, 404));
        Assert.Empty(await ListAsync(Last, api.Key));
        // What is open is nobody's statement yet, and the report goes on.
        var owed = (await api.GetAsync("/v1/reports/settlement", key: issuer.Key)).GetProperty("data")[0];
        Assert.Equal(afterSecond, Amount(owed, "net"));
    }

    [Fact]
    public async Task What_is_written_down_after_its_month_was_closed_is_in_the_next_and_closed_stays_closed()
    {
        var (issuer, shop) = (api.NewMerchant(), api.NewMerchant());
        var code = await CardAsync(issuer.Key, shop);
        await PayAsync(code, 1_000, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-2).AddDays(4));
        var closed = Assert.Single(await CloseAsync(Before, issuer.Key));
        await PayAsync(code, 500, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-2).AddDays(5));
        var again = await Task.WhenAll(CloseAsync(Before, issuer.Key), CloseAsync(Before, issuer.Key));
        Assert.All(again, statements => Assert.Equal(closed.GetRawText(), Assert.Single(statements).GetRawText()));
        await PayAsync(code, 60, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-1).AddDays(2));
        var all = await Task.WhenAll(CloseAsync(Last, issuer.Key), CloseAsync(Last, issuer.Key));
        Assert.Equal(all[0][0].GetRawText(), all[1][0].GetRawText());
        var next = Assert.Single(all[0]);
        Assert.Equal(
            (Amount(closed, "closing"), 560, Posted(issuer.Id, shop.Id)),
            (Amount(next, "opening"), Amount(next, "captured"), Amount(next, "closing"))
        );
        Assert.Equal(
            2,
            await api.CountAsync($"SELECT count(*) FROM settlement_statements WHERE issuer_id = '{issuer.Id.Value}'")
        );
    }

    [Fact]
    public async Task Months_that_are_over_everywhere_close_by_themselves_and_once()
    {
        var (issuer, shop) = (api.NewMerchant(), api.NewMerchant());
        var code = await CardAsync(issuer.Key, shop);
        await PayAsync(code, 1_000, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-3).AddDays(4));
        await PayAsync(code, 500, shop.Key);
        await MoveAsync(issuer.Id, Now.AddMonths(-2).AddDays(4));
        await PayAsync(code, 60, shop.Key);

        await Task.WhenAll(api.RunJobAsync("settlement-months"), api.RunJobAsync("settlement-months"));
        await api.RunJobAsync("settlement-months");

        var first = Assert.Single(await ListAsync(Month.Name(Now.AddMonths(-3)), issuer.Key));
        var second = Assert.Single(await ListAsync(Before, shop.Key));
        Assert.Equal((0, 1_000), (Amount(first, "opening"), Amount(first, "captured")));
        Assert.Equal((Amount(first, "closing"), 500), (Amount(second, "opening"), Amount(second, "captured")));
        // What the job closed is what a request is answered with; the month that goes on is open.
        Assert.Equal(Amount(second, "closing"), Amount(Assert.Single(await CloseAsync(Before, issuer.Key)), "closing"));
        Assert.Empty(await ListAsync(Month.Name(Now), issuer.Key));
    }

    [Fact]
    public async Task A_month_that_is_not_over_is_not_closed_and_without_business_there_is_no_statement()
    {
        var (_, key) = api.NewMerchant();
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.PostAsync(Path, new { month = Month.Name(Now) }, 400, key: key))
        );
        await api.PostAsync(Path, new { month = "2024-13" }, 400, key: key);
        Assert.Empty(await CloseAsync(Before, key));
        await api.GetAsync($"{Path}?month=March", 400, key);
    }

    [Fact]
    public void A_sheet_has_each_day_with_the_balance_after_it_and_what_came_late_first()
    {
        var row = new StatementRow(
            new(Guid.CreateVersion7()),
            MerchantId.New(TimeProvider.System),
            MerchantId.New(TimeProvider.System),
            "EUR",
            new(2026, 3, 1),
            -150,
            Captured: 10_000,
            Refunded: 40,
            Commission: 250,
            3,
            1,
            """
            [{"date":"2026-03-02","captured":9000,"refunded":0,"commission":225},
             {"date":"2026-03-31","captured":500,"refunded":40,"commission":12}]
            """,
            new(2026, 4, 1, 2, 0, 0, TimeSpan.Zero)
        );
        Assert.Equal(
            [
                new("Date", "Captured", "Refunded", "Commission", "Balance"),
                new("Opening balance", null, null, null, "-1.50"),
                new("Of closed months", "5.00", "0.00", "0.13", "3.37"),
                new("2026-03-02", "90.00", "0.00", "2.25", "91.12"),
                new("2026-03-31", "5.00", "0.40", "0.12", "95.60"),
                new("Total of 3 redemptions, 1 refunds", "100.00", "0.40", "2.50", null),
                new SheetLine("Closing balance", null, null, null, "95.60"),
            ],
            StatementSheet.Table(row)
        );
        Assert.Equal(9_560, row.Closing);
        using var stream = new MemoryStream(StatementSheet.Draw(row));
        using var document = PdfReader.Open(stream, PdfDocumentOpenMode.Import);
        Assert.Equal(1, document.PageCount);
    }

    private async Task<string> CardAsync(string key, (MerchantId Id, string Key) shop)
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Town card",
                currency = "EUR",
                accepted_at = new[] { new { merchant_id = shop.Id.ToString(), commission_basis_points = 250 } },
            },
            key
        );
        await api.AcceptAsync(program, shop.Key);
        return (await api.SellAsync(20_000, program, key)).Code;
    }

    private async Task<string> PayAsync(string code, long amount, string key) =>
        (await api.PostAsync("/v1/redemptions", GiftcardApi.Redemption(code, amount), 201, key: key))
            .GetProperty("id")
            .GetString()!;

    private Task<JsonElement> RefundAsync(string redemption, long amount, string key) =>
        api.PostAsync($"/v1/redemptions/{redemption}/refunds", new { amount = GiftcardApi.Eur(amount) }, 201, key: key);

    /// <summary>As if what an issuer owes since this month had come about on that day.</summary>
    private Task MoveAsync(MerchantId issuer, DateOnly day) =>
        api.SqlAsync(
            $"""
            ALTER TABLE settlement_entries DISABLE TRIGGER settlement_entries_append_only;
            UPDATE settlement_entries SET occurred_at = '{day:yyyy-MM-dd} 12:00+00'
             WHERE issuer_id = '{issuer.Value}'
               AND occurred_at >= '{Now:yyyy-MM-dd}';
            ALTER TABLE settlement_entries ENABLE TRIGGER settlement_entries_append_only;
            """
        );

    private async Task<JsonElement[]> CloseAsync(string month, string key) =>
        [.. (await api.PostAsync(Path, new { month }, 201, key: key)).GetProperty("data").EnumerateArray()];

    private async Task<JsonElement[]> ListAsync(string month, string key) =>
        [.. (await api.GetAsync($"{Path}?month={month}", key: key)).GetProperty("data").EnumerateArray()];

    private async Task<int> PagesAsync(string id, string key, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{Path}/{id}/pdf");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var answer = await api.Service.Public.SendAsync(request);
        Assert.Equal(status, (int)answer.StatusCode);
        if (status != 200)
        {
            return 0;
        }

        Assert.Equal("application/pdf", answer.Content.Headers.ContentType!.MediaType);
        using var stream = new MemoryStream(await answer.Content.ReadAsByteArrayAsync());
        using var document = PdfReader.Open(stream, PdfDocumentOpenMode.Import);
        return document.PageCount;
    }

    private long Posted(MerchantId issuer, MerchantId shop) =>
        api.Ledger.AccountNamed(issuer.ToString(), $"payable:{shop}").Posted;

    private static long Amount(JsonElement body, string name) => GiftcardApi.Amount(body, name);
}
