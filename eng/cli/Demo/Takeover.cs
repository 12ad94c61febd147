using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;

namespace LocalPlus.Cli;

/// <summary>The shop has sold cards before it came to us: a thousand of them are taken over, and two are not.</summary>
internal sealed class Takeover(Shop shop, Narrator narrator, CancellationToken cancel)
{
    private const int Cards = 1000;
    private const long Each = 2500;
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(90);

    public async Task TellAsync()
    {
        Narrator.Chapter("Cards that were sold elsewhere are taken over");
        var program = (await shop.CreateProgramAsync("Cards of the old till")).Text("id")!;
        var order = new JsonObject { ["program_id"] = program, ["amounts"] = "major_units" };
        var import = await shop.AskAsync("/v1/gift_cards/import", order);
        narrator.Check(import.Status == 201, "an import is begun", import);
        var id = import.Text("id")!;
        var codes = Enumerable.Range(0, Cards).Select(_ => Code()).ToArray();
        var part = await shop.UploadAsync($"/v1/gift_cards/import/{id}/parts/1", Csv(codes));
        Narrator.Show("POST /v1/gift_cards/import/{id}/parts/1", part, "rows", "refused");
        narrator.Check(part.Number("rows") == Cards + 2, "the old till's file is read as it is", part);

        await StepAsync(id, "check", "checked", "the check is through, and nothing is a card yet");
        var errors = (await shop.ReadAsync($"/v1/jobs/{id}/errors")).Text("detail") ?? "";
        foreach (var line in errors.Split("\r\n", StringSplitOptions.RemoveEmptyEntries))
        {
            Narrator.Tell($"  {line}");
        }

        narrator.Check(
            errors.Contains("duplicate_code,1:2", StringComparison.Ordinal)
                && errors.Contains("balance_invalid", StringComparison.Ordinal),
            "the report names the two rows that are left out, and why"
        );
        var done = await StepAsync(id, "commit", "committed", "the import is committed");
        narrator.Check(done.Number("done") == Cards, $"{Cards} cards are good at our tills", done);
        var found = await shop.LookUpAsync(codes[^1].ToLowerInvariant());
        narrator.Check(found.Number("balance.amount") == Each, "with the codes that are printed on them", found);
        await BooksAsync(import, -Cards * Each, "the books prove it: one account stands at minus 25,000.00 EUR");
        await shop.AskAsync("/v1/redemptions", Redemption(codes[^1]));

        var back = await StepAsync(id, "revert", "reverted", "the import is taken back");
        narrator.Check(
            back.Number("done") == Cards - 1,
            "but for the card that somebody has paid with meanwhile",
            back
        );
        await BooksAsync(import, -Each, "and only that card's value is left in the books");
    }

    private async Task<RestAnswer> StepAsync(string id, string verb, string step, string what)
    {
        await shop.AskAsync($"/v1/gift_cards/import/{id}/{verb}", []);
        return await narrator.EventuallyAsync(
            () => shop.ReadAsync($"/v1/jobs/{id}"),
            r => r.Text("step") == step,
            what,
            Soon,
            cancel
        );
    }

    private async Task BooksAsync(RestAnswer import, long posted, string what)
    {
        var account = await shop.ReadAsync($"/v1/accounts/{import.Text("migration_account_id")}/balance");
        narrator.Check(account.Number("posted") == posted, what, account);
    }

    private static JsonObject Redemption(string code) =>
        new()
        {
            ["mode"] = "immediate",
            ["amount"] = new JsonObject { ["amount"] = 100, ["currency"] = "EUR" },
            ["sources"] = new JsonArray(new JsonObject { ["gift_card"] = new JsonObject { ["code"] = code } }),
        };

    private static string Code() => Guid.NewGuid().ToString("N")[..20].ToUpperInvariant();

    private static string Csv(string[] codes)
    {
        var csv = new StringBuilder("Gift Card Code,Balance,Currency\n");
        foreach (var code in codes)
        {
            csv.Append(CultureInfo.InvariantCulture, $"{code},25.00,EUR\n");
        }

        return csv.Append(CultureInfo.InvariantCulture, $"{codes[0]},25.00,EUR\n{Code()},twenty,EUR\n").ToString();
    }
}
