using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Analytics;
using LocalPlus.Tests.Integration.Support;
using Npgsql;

namespace LocalPlus.Tests.Integration.Events;

/// <summary>What is no event, is refused or fails: kept once, answered with success, and nobody waits for it.</summary>
public sealed class PoisonTests(AnalyticsApi api) : IClassFixture<AnalyticsApi>
{
    private const string Cards = "giftcard.cards.v1";

    public static TheoryData<string, string> NoEvents =>
        new()
        {
            { "text", "hello" },
            { "nothing", "" },
            { "half a JSON", "{\"data\":" },
            { "a number", "17" },
            { "a list", "[]" },
            { "no data", "{}" },
            { "an empty envelope", """{"data":{}}""" },
            { "null data", """{"data":null}""" },
            {
                "an envelope of nulls",
                """{"data":{"id":null,"type":null,"key":null,"sequence":null,"merchant_id":null,"occurred_at":null,"data":null}}"""
            },
            { "NUL", Wire(e => e.Replace("7Q2M", "7\\u0000M", StringComparison.Ordinal)) },
            {
                "NUL where nobody looks",
                Wire(e => e.Replace("\"last4\"", "\"note\":\"\\u0000\",\"last4\"", StringComparison.Ordinal))
            },
            { "a lone surrogate", Wire(e => e.Replace("7Q2M", "\\ud800xyz", StringComparison.Ordinal)) },
            { "two ids", Wire(e => e.Replace("\"sequence\"", "\"key\":\"x\",\"sequence\"", StringComparison.Ordinal)) },
            { "no sequence", Wire(e => e.Replace("\"sequence\":1", "\"sequence\":0", StringComparison.Ordinal)) },
            { "no card", Wire(e => e.Replace("gift_card_id", "gift_card", StringComparison.Ordinal)) },
            { "too deep", "{\"data\":" + new string('[', 200) + new string(']', 200) + "}" },
        };

    [Theory]
    [MemberData(nameof(NoEvents))]
    public async Task Fault_23_what_is_no_event_is_kept_once_byte_for_byte_and_answered_with_success(
        string what,
        string text
    )
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var before = await LettersAsync();

        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, bytes));
        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, bytes, bytes));

        Assert.True(await LettersAsync() == before + 1, $"{what}: {api.Service.Output}");
        Assert.Equal(
            1L,
            await api.Database.ScalarAsync<long>(
                $"SELECT count(*) FROM dead_letters WHERE body = '\\x{Convert.ToHexString(bytes)}' AND topic = '{Cards}' AND reason IS NOT NULL"
            )
        );
    }

    [Theory]
    [InlineData("text/plain", "hello")]
    [InlineData("application/cloudevents+json", "{\"data\":")]
    [InlineData("application/octet-stream", "\u0000")]
    public async Task Fault_32_a_lone_message_that_is_no_JSON_reaches_the_service_and_is_kept(
        string contentType,
        string text
    )
    {
        var before = await LettersAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(text + Guid.CreateVersion7()));
        content.Headers.ContentType = new(contentType);

        using var answer = await api.Service.App.PostAsync(new Uri($"/events/{Cards}", UriKind.Relative), content);

        Assert.Equal(
            "SUCCESS",
            (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("status").GetString()
        );
        Assert.Equal(before + 1, await LettersAsync());
    }

    [Fact]
    public async Task Fault_22_bytes_that_are_no_text_are_kept_as_they_are()
    {
        byte[] bytes = [0xff, 0x00, 0xfe, 0x7b];

        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, bytes));

        Assert.Equal(
            bytes,
            await api.Database.ScalarAsync<byte[]>("SELECT body FROM dead_letters WHERE body = '\\xff00fe7b'")
        );
    }

    [Fact]
    public async Task Fault_32_an_event_that_fails_twice_is_kept_and_the_others_of_its_delivery_have_their_effect()
    {
        var (merchant, key) = api.NewMerchant();
        TestEvent[] events = [.. Enumerable.Range(1, 20).Select(i => Card(merchant, i == 7 ? long.MaxValue : 100))];

        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, [.. events.Select(e => e.OnTheWire())]));
        // Delivered again, it is not tried again to no end, and nobody counts twice.
        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, [.. events.Select(e => e.OnTheWire())]));

        Assert.Equal(19, await SoldAsync(key));
        Assert.Equal(
            1L,
            await api.Database.ScalarAsync<long>($"SELECT count(*) FROM dead_letters WHERE event_id = '{events[6].Id}'")
        );
    }

    [Fact]
    public async Task Fault_32_one_event_that_takes_too_long_is_kept_and_pauses_nobody()
    {
        var (merchant, key) = api.NewMerchant();
        const long slow = 31_337;
        await SlowAsync(slow);
        TestEvent[] events = [.. Enumerable.Range(1, 20).Select(i => Card(merchant, i == 7 ? slow : 100))];

        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, [.. events.Select(e => e.OnTheWire())]));

        Assert.Equal(19, await SoldAsync(key));
        Assert.Equal(
            "failed: 57014",
            await api.Database.ScalarAsync<string>($"SELECT reason FROM dead_letters WHERE event_id = '{events[6].Id}'")
        );
        Assert.DoesNotContain("consumers pause", api.Service.Output, StringComparison.Ordinal);
        using var probe = await api.Service.App.GetAsync(new Uri("/consumerz", UriKind.Relative));
        Assert.True(probe.IsSuccessStatusCode);
    }

    [Fact]
    public async Task Fault_32_two_events_that_take_too_long_are_the_databases_fault_and_no_dead_letters()
    {
        var (merchant, key) = api.NewMerchant();
        const long slow = 31_338;
        await SlowAsync(slow);
        var before = await LettersAsync();
        TestEvent[] events = [.. Enumerable.Range(1, 5).Select(i => Card(merchant, i is 2 or 4 ? slow : 100))];

        Assert.NotEqual("SUCCESS", await api.Service.DeliverRawAsync(Cards, [.. events.Select(e => e.OnTheWire())]));
        Assert.Equal((0, before), (await SoldAsync(key), await LettersAsync()));

        await api.Database.AsOwnerAsync("DROP TRIGGER slow_31338 ON facts");
        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, [.. events.Select(e => e.OnTheWire())]));
        Assert.Equal((5, before), (await SoldAsync(key), await LettersAsync()));
    }

    [Fact]
    public async Task Fault_32_with_one_poison_in_a_hundred_nobody_waits_for_the_sidecar_to_repeat()
    {
        var (merchant, key) = api.NewMerchant();
        var events = Enumerable
            .Range(0, 10_000)
            .Select(i =>
                (i % 300) switch
                {
                    0 => Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"poison {i}")),
                    100 => Card(merchant, long.MaxValue).OnTheWire(),
                    200 => Encoding.UTF8.GetBytes(
                        Wire(e => e.Replace("7Q2M", $"\\u0000{i}", StringComparison.Ordinal))
                    ),
                    _ => Card(merchant, 1).OnTheWire(),
                }
            )
            .ToArray();

        foreach (var delivery in events.Chunk(100))
        {
            // Success for all of them: a sidecar repeats nothing, so a delivery waits for nothing but this.
            Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync(Cards, delivery));
        }

        Assert.Equal(events.Length - 34 - 33 - 33, await SoldAsync(key));
    }

    [Fact]
    public async Task Fault_32_what_the_sidecar_gave_up_on_is_taken_when_it_comes_back_as_a_dead_letter()
    {
        var (merchant, key) = api.NewMerchant();
        var late = Card(merchant, 100);
        var before = await LettersAsync();
        byte[] Lost(string topic) =>
            JsonSerializer.SerializeToUtf8Bytes(
                new
                {
                    specversion = "1.0",
                    topic,
                    data = late.Envelope(),
                }
            );

        Assert.Equal("SUCCESS", await api.Service.DeliverRawAsync("dead-letter", Lost(Cards)));
        Assert.Equal(before, await LettersAsync());
        Assert.Equal(
            "SUCCESS",
            await api.Service.DeliverRawAsync(
                "dead-letter",
                Lost("of.nobody.v1"),
                Encoding.UTF8.GetBytes("not even JSON")
            )
        );

        Assert.Equal(1, await SoldAsync(key));
        Assert.Equal(before + 2, await LettersAsync());
    }

    [Fact]
    public async Task Fault_32_a_database_that_is_away_pauses_the_consumer_and_nothing_is_lost()
    {
        var server = new NpgsqlConnectionStringBuilder(api.Database.ConnectionString);
        await using var way = new TcpProxy(server.Port);
        (server.Host, server.Port) = ("127.0.0.1", way.Port);
        await using var service = await RunningService.StartAsync(
            typeof(LocalPlus.Analytics.AnalyticsRollup).Assembly.Location,
            api.Database,
            api.Sidecar.Port,
            settings: ("Secrets__database", server.ConnectionString)
        );
        var (merchant, key) = api.NewMerchant();

        way.Cut();
        var delivered = service.DeliverRawAsync(Cards, Card(merchant, 100).OnTheWire());
        // The sidecar sees it here and stops delivering; the delivery under way waits.
        await Eventually.TrueAsync(async () =>
            (await service.App.GetAsync(new Uri("/consumerz", UriKind.Relative))).StatusCode
            == System.Net.HttpStatusCode.ServiceUnavailable
        );
        Assert.False(delivered.IsCompleted);
        way.Mend();

        Assert.Equal("SUCCESS", await delivered);
        Assert.Equal(1, await SoldAsync(key));
        await Eventually.TrueAsync(async () =>
            (await service.App.GetAsync(new Uri("/consumerz", UriKind.Relative))).IsSuccessStatusCode
        );
    }

    private async Task<int> SoldAsync(string key) =>
        (await api.Service.CallAsync(HttpMethod.Get, "/v1/reports/daily?from=2026-03-10&to=2026-03-10", key))
            .GetProperty("data")
            .EnumerateArray()
            .Sum(day => day.GetProperty("sold").GetProperty("count").GetInt32());

    /// <summary>Facts of that amount are ended by the server as if their statement had run too long.</summary>
    private Task SlowAsync(long amount) =>
        api.Database.AsOwnerAsync(
            $"""
            CREATE FUNCTION slow_{amount}() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'canceling statement due to statement timeout' USING ERRCODE = '57014';
            END $$;
            CREATE TRIGGER slow_{amount} BEFORE INSERT ON facts FOR EACH ROW WHEN (NEW.amount = {amount})
                EXECUTE FUNCTION slow_{amount}();
            """
        );

    private Task<long> LettersAsync() => api.Database.ScalarAsync<long>("SELECT count(*) FROM dead_letters");

    private static string Wire(Func<string, string> spoil) =>
        spoil(Encoding.UTF8.GetString(Card(MerchantId.New(TimeProvider.System), 1).OnTheWire()));

    internal static TestEvent Card(MerchantId merchant, long amount)
    {
        var card = GiftCardId.New(TimeProvider.System).ToString();
        return new(
            "gift_card.activated",
            card,
            1,
            merchant,
            new
            {
                gift_card_id = card,
                amount,
                currency = "EUR",
                last4 = "7Q2M",
            }
        )
        {
            OccurredAt = new(2026, 3, 10, 12, 0, 0, TimeSpan.Zero),
        };
    }
}
