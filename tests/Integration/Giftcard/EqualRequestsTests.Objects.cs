using System.Text.Json;
using LocalPlus.Giftcard.Cards;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>What the requests need to be there.</summary>
public sealed partial class EqualRequestsTests
{
    private static object Eur(long amount) => GiftcardApi.Eur(amount);

    private static string Unique() => Guid.CreateVersion7().ToString();

    private static string Id(JsonElement answer) => answer.GetProperty("id").GetString()!;

    private static object Later() => new { hold_expires_at = TimeProvider.System.GetUtcNow().AddHours(2) };

    private static Task<(string Path, object? Body)> At(string path, object body) =>
        Task.FromResult((path, (object?)body));

    private static Task<string> ProgramAsync(GiftcardApi api) =>
        api.ProgramAsync(
            new
            {
                name = "All of it",
                currency = "EUR",
                validity_days = 90,
                pin = "optional",
                cash_out_below = Eur(1000),
            }
        );

    /// <summary>An import with a row that is good.</summary>
    private static async Task<string> UploadedAsync(GiftcardApi api)
    {
        var order = new { program_id = await api.ProgramAsync(), amounts = "minor_units" };
        var import = Id(await api.PostAsync("/v1/gift_cards/import", order, 201));
        await api.UploadAsync(import, 1, $"code,balance\n{CardCode.New()},100\n");
        return import;
    }

    private static async Task StepAsync(GiftcardApi api, string import, string verb, string step)
    {
        await api.PostAsync($"/v1/gift_cards/import/{import}/{verb}", null, 202);
        await api.JobAsync(import, step);
    }

    private static async Task<(string Path, object? Body)> VerbAsync(
        GiftcardApi api,
        string verb,
        object body,
        long amount = 100
    ) => ($"/v1/gift_cards/{(await api.SellAsync(amount, await ProgramAsync(api))).Id}/{verb}", body);

    private static async Task<object> RedemptionAsync(GiftcardApi api, string mode, int? seconds = null)
    {
        var program = await ProgramAsync(api);
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = Eur(100),
                pin = "1234",
            },
            201
        );
        return new
        {
            mode,
            amount = Eur(50),
            sources = new[]
            {
                new
                {
                    gift_card = new { code = card.GetProperty("code").GetString(), pin = "1234" },
                    max_amount = Eur(60),
                },
            },
            partial = "allow",
            location_id = GiftcardApi.PlaceOf(Till).ToString(),
            terminal_id = Till.ToString(),
            hold_ttl_seconds = seconds,
            reference = Unique(),
            metadata = Metadata,
        };
    }

    private static async Task<string> HeldAsync(GiftcardApi api) =>
        Id(
            await api.PostAsync(
                "/v1/redemptions",
                GiftcardApi.Redemption((await api.SellAsync(100)).Code, 50, "two_phase"),
                201
            )
        );

    private static async Task<string> HoldAsync(GiftcardApi api) =>
        Id(
            await api.PostAsync(
                "/v1/holds",
                new
                {
                    amount = Eur(50),
                    sources = new[] { new { gift_card = new { code = (await api.SellAsync(100)).Code } } },
                },
                201
            )
        );

    private async Task<(int Status, string Body)> SendAsync(string path, object? body, string key)
    {
        using var answer = await api.SendAsync(HttpMethod.Post, path, api.Key, body, key);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
