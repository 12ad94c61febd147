using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

public sealed class ExpiringCardTests(GiftcardApi api) : IClassFixture<GiftcardApi>
{
    private const string Job = "expiring-giftcards";

    [Fact]
    public async Task A_card_is_told_of_once_for_each_end_of_its_time()
    {
        var holder = CustomerId.New(TimeProvider.System).ToString();
        var id = await SellAsync(days: 20, holder);
        await Task.WhenAll(api.RunJobAsync(Job), api.RunJobAsync(Job));
        await api.RunJobAsync(Job);

        var card = await api.GetAsync($"/v1/gift_cards/{id}");
        var first = Assert.Single(await ToldAsync(id, 1));
        var data = first.GetProperty("data");
        Assert.Equal(card.GetProperty("version").GetInt64(), first.GetProperty("sequence").GetInt64());
        Assert.Equal(
            (1000, holder, card.GetProperty("expires_at").GetDateTimeOffset()),
            (
                data.GetProperty("balance").GetInt64(),
                data.GetProperty("customer_id").GetString(),
                data.GetProperty("expires_at").GetDateTimeOffset()
            )
        );
        Assert.False(data.TryGetProperty("amount", out _));

        // Moved, but still near: told again. Moved far away: told when that is near.
        await ExtendAsync(id, days: 25);
        await api.RunJobAsync(Job);
        await ToldAsync(id, 2);
        await ExtendAsync(id, days: 60);
        await api.RunJobAsync(Job);
        await EndsInAsync(id, "10 days");
        await api.RunJobAsync(Job);
        var told = await ToldAsync(id, 3);
        Assert.Equal(3, told.Select(e => e.GetProperty("sequence").GetInt64()).Distinct().Count());
    }

    [Fact]
    public async Task Only_cards_that_can_be_spent_and_end_soon_are_told_of()
    {
        var (far, empty, blocked) = (await SellAsync(days: 31), await SellAsync(days: 20), await SellAsync(days: 20));
        var (over, never) = (await SellAsync(days: 20), (await api.SellAsync(1000)).Id);
        await api.PostAsync($"/v1/gift_cards/{empty}/cash_out", null);
        await api.PostAsync($"/v1/gift_cards/{blocked}/block", new { reason = "lost" });
        await EndsInAsync(over, "-1 minute");
        var sent = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = await ProgramAsync(days: 20),
                amount = GiftcardApi.Eur(1000),
                recipient = new { email = "ben@example.test" },
                delivery = new { deliver_at = TimeProvider.System.GetUtcNow().AddHours(1) },
            },
            201
        );
        var present = sent.GetProperty("id").GetString()!;
        await api.RunJobAsync(Job);
        var witness = await SellAsync(days: 20);
        await api.RunJobAsync(Job);
        await ToldAsync(witness, 1);
        Assert.All([far, empty, blocked, over, never, present], id => Assert.Empty(Told(id)));

        await api.PostAsync($"/v1/gift_cards/{blocked}/unblock", new { reason = "found" });
        await api.PostAsync($"/v1/gift_cards/{empty}/load", new { amount = GiftcardApi.Eur(500) });
        await api.SqlAsync(
            $"UPDATE card_deliveries SET deliver_at = now() WHERE gift_card_id = '{GiftcardApi.CardUuid(present)}'"
        );
        await Eventually.TrueAsync(() => Events(present).Any(e => Type(e) == "gift_card.delivery_due"));
        await api.RunJobAsync(Job);
        await ToldAsync(blocked, 1);
        await ToldAsync(present, 1);
        Assert.Equal(
            500,
            Assert.Single(await ToldAsync(empty, 1)).GetProperty("data").GetProperty("balance").GetInt64()
        );
        Assert.Single(Told(witness));
    }

    [Fact]
    public async Task Of_a_card_whose_event_could_not_be_written_it_is_told_by_the_next_run()
    {
        var id = await SellAsync(days: 20);
        // Nothing but this run's events is refused; the marks of its transaction go with them.
        await api.Database.AsOwnerAsync(
            """
            ALTER TABLE outbox_events ADD CONSTRAINT none_expires CHECK (type <> 'gift_card.expiring') NOT VALID
            """
        );
        try
        {
            await Assert.ThrowsAnyAsync<Xunit.Sdk.XunitException>(() => api.RunJobAsync(Job));
        }
        finally
        {
            await api.Database.AsOwnerAsync("ALTER TABLE outbox_events DROP CONSTRAINT none_expires");
        }

        Assert.Empty(Told(id));
        await api.RunJobAsync(Job);
        await ToldAsync(id, 1);
        var runs = (await api.InspectAsync($"/ops/v1/giftcard/jobs?name={Job}&limit=2")).GetProperty("data");
        Assert.Equal(["done", "failed"], runs.EnumerateArray().Select(r => r.GetProperty("outcome").GetString()));
    }

    private Task<string> ProgramAsync(int days) =>
        api.ProgramAsync(
            new
            {
                name = "Ends",
                currency = "EUR",
                validity_days = days,
                cash_out_below = GiftcardApi.Eur(5000),
            }
        );

    private async Task<string> SellAsync(int days, string? holder = null)
    {
        var card = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = await ProgramAsync(days),
                amount = GiftcardApi.Eur(1000),
                customer_id = holder,
            },
            201
        );
        return card.GetProperty("id").GetString()!;
    }

    private Task<JsonElement> ExtendAsync(string id, int days) =>
        api.PostAsync(
            $"/v1/gift_cards/{id}/extend",
            new { expires_at = TimeProvider.System.GetUtcNow().AddDays(days) }
        );

    private Task EndsInAsync(string id, string interval) =>
        api.SqlAsync(
            $"""
            UPDATE gift_cards SET expires_at = now() + interval '{interval}'
             WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}';
            UPDATE gift_card_lots SET expires_at = now() + interval '{interval}'
             WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}'
            """
        );

    /// <summary>What was told of the card's end, once there is so much of it.</summary>
    private async Task<IReadOnlyList<JsonElement>> ToldAsync(string id, int times)
    {
        await Eventually.TrueAsync(() => Told(id).Count >= times, because: () => api.Service.Output);
        var told = Told(id);
        Assert.Equal(times, told.Count);
        return told;
    }

    private IReadOnlyList<JsonElement> Told(string id) =>
        [.. Events(id).Where(e => Type(e) == "gift_card.expiring").DistinctBy(e => e.GetProperty("id").GetString())];

    private IEnumerable<JsonElement> Events(string id) =>
        api
            .Sidecar.Published.Select(e => e.GetProperty("event").GetProperty("data"))
            .Where(e => e.GetProperty("key").GetString() == id);

    private static string? Type(JsonElement e) => e.GetProperty("type").GetString();
}
