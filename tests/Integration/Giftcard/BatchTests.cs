using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using LocalPlus.Giftcard.Cards;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Giftcard;

/// <summary>Physical cards in boxes and digital ones by mail: how their codes leave the house.</summary>
public sealed class BatchTests(GiftcardProcess api) : IClassFixture<GiftcardProcess>
{
    [Fact]
    public async Task A_batch_is_made_in_the_background_and_its_codes_are_fetched_once_encrypted()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Plastic",
                currency = "EUR",
                pin = "required",
            }
        );
        var order = new
        {
            program_id = program,
            quantity = 7,
            reference = "box-1",
        };
        var batch = await api.PostAsync("/v1/gift_cards/bulk", order, 202, "bulk-1");
        Assert.Equal(
            batch.GetRawText(),
            (await api.PostAsync("/v1/gift_cards/bulk", order, 202, "bulk-1")).GetRawText()
        );
        var id = batch.GetProperty("id").GetString()!;
        await ReadyAsync(id);

        using var printer = RSA.Create(2048);
        var body = new { public_key = printer.ExportSubjectPublicKeyInfoPem() };
        var codes = await api.PostAsync($"/v1/gift_cards/bulk/{id}/codes", body, idempotencyKey: "codes-1");
        var lines = Decrypt(codes.GetProperty("jwe").GetString()!, printer)
            .Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(("gift_card_id,code,pin,last4,currency", 8), (lines[0], lines.Length));
        Assert.Equal(
            codes.GetRawText(),
            (await api.PostAsync($"/v1/gift_cards/bulk/{id}/codes", body, idempotencyKey: "codes-1")).GetRawText()
        );
        Assert.Equal("codes_gone", GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/bulk/{id}/codes", body, 409)));

        var fields = lines[1].Split(',');
        Assert.True(CardCode.IsWellFormed(fields[1]));
        Assert.Equal(
            "gift_card_not_usable",
            GiftcardApi.Code(
                await api.PostAsync("/v1/gift_cards/lookup", new { code = fields[1], pin = fields[2] }, 404)
            )
        );
        await api.PostAsync($"/v1/gift_cards/{fields[0]}/activate", new { amount = GiftcardApi.Eur(2500) });
        Assert.Equal(
            2500,
            GiftcardApi.Amount(
                await api.PostAsync("/v1/gift_cards/lookup", new { code = fields[1], pin = fields[2] }),
                "balance"
            )
        );
        Assert.Equal(7, (await api.GetAsync($"/v1/gift_cards?batch_id={id}")).GetProperty("data").GetArrayLength());
        Assert.Equal("delivered", (await api.GetAsync($"/v1/gift_cards/bulk/{id}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_batch_comes_as_sheets_to_print_where_it_is_small_enough()
    {
        var program = await api.ProgramAsync();
        using var printer = RSA.Create(2048);
        var body = new { public_key = printer.ExportSubjectPublicKeyInfoPem(), format = "pdf" };
        var small = await BatchAsync(program, 12);
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync($"/v1/gift_cards/bulk/{small}/codes", body with { format = "svg" }, 400)
            )
        );
        var codes = await api.PostAsync($"/v1/gift_cards/bulk/{small}/codes", body);
        var jwe = codes.GetProperty("jwe").GetString()!;
        Assert.Equal(12, codes.GetProperty("count").GetInt32());
        Assert.StartsWith("%PDF-", Encoding.Latin1.GetString(Open(jwe, printer)), StringComparison.Ordinal);
        Assert.Contains(
            "\"cty\":\"application/pdf\"",
            Encoding.ASCII.GetString(Base64Url.DecodeFromChars(jwe.Split('.')[0])),
            StringComparison.Ordinal
        );
        Assert.Equal(
            "codes_gone",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/bulk/{small}/codes", body, 409))
        );

        var large = await BatchAsync(program, 501);
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/bulk/{large}/codes", body, 400))
        );
        // What was refused erased nothing.
        await api.PostAsync($"/v1/gift_cards/bulk/{large}/codes", body with { format = "csv" });
    }

    private async Task<string> BatchAsync(string program, int quantity)
    {
        var id = (await api.PostAsync("/v1/gift_cards/bulk", new { program_id = program, quantity }, 202))
            .GetProperty("id")
            .GetString()!;
        await ReadyAsync(id);
        return id;
    }

    [Fact]
    public async Task A_batch_goes_on_where_a_killed_process_left_it()
    {
        var program = await api.ProgramAsync();
        var id = (await api.PostAsync("/v1/gift_cards/bulk", new { program_id = program, quantity = 10_000 }, 202))
            .GetProperty("id")
            .GetString()!;
        await Eventually.TrueAsync(async () =>
            (await api.GetAsync($"/v1/gift_cards/bulk/{id}")).GetProperty("made").GetInt32() > 0
        );
        await api.RestartAsync();
        // Whoever was killed had the task for a while, which is over now.
        await api.SqlAsync("UPDATE tasks SET due_at = now() WHERE due_at IS NOT NULL");
        await ReadyAsync(id);
        Assert.Equal(
            10_000,
            await api.CountAsync(
                $"SELECT count(*) FROM gift_cards c JOIN card_batches b USING (batch_id) " + "WHERE b.quantity = 10000"
            )
        );
        Assert.Equal(
            10_000,
            await api.CountAsync(
                "SELECT count(DISTINCT c.code_hash) FROM gift_cards c JOIN card_batches b USING (batch_id) "
                    + "WHERE b.quantity = 10000"
            )
        );
    }

    [Fact]
    public async Task An_order_that_can_not_be_made_or_fetched_is_refused()
    {
        var program = await api.ProgramAsync();
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync("/v1/gift_cards/bulk", new { program_id = program, quantity = 10_001 }, 400)
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync("/v1/gift_cards/bulk", new { program_id = program, quantity = 0 }, 400)
            )
        );
        var (_, stranger) = api.NewMerchant();
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards/bulk",
                    new { program_id = program, quantity = 1 },
                    404,
                    key: stranger
                )
            )
        );
        var id = (
            await api.PostAsync(
                "/v1/gift_cards/bulk",
                new
                {
                    program_id = program,
                    quantity = 1,
                    reference = "box-2",
                },
                202
            )
        ).GetProperty("id").GetString()!;
        Assert.Equal(
            "reference_reused",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards/bulk",
                    new
                    {
                        program_id = program,
                        quantity = 1,
                        reference = "box-2",
                    },
                    422
                )
            )
        );
        await ReadyAsync(id);
        using var weak = RSA.Create(1024);
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/gift_cards/bulk/{id}/codes",
                    new { public_key = weak.ExportSubjectPublicKeyInfoPem() },
                    400
                )
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(await api.PostAsync($"/v1/gift_cards/bulk/{id}/codes", new { public_key = "mine" }, 400))
        );
        using var strong = RSA.Create(2048);
        Assert.Equal(
            "not_found",
            GiftcardApi.Code(
                await api.PostAsync(
                    $"/v1/gift_cards/bulk/{id}/codes",
                    new { public_key = strong.ExportSubjectPublicKeyInfoPem() },
                    404,
                    key: stranger
                )
            )
        );
        Assert.Equal("not_found", GiftcardApi.Code(await api.GetAsync($"/v1/gift_cards/bulk/{id}", 404, stranger)));
    }

    [Fact]
    public async Task Codes_asked_for_by_many_at_once_are_handed_out_once()
    {
        var program = await api.ProgramAsync();
        var id = (await api.PostAsync("/v1/gift_cards/bulk", new { program_id = program, quantity = 3 }, 202))
            .GetProperty("id")
            .GetString()!;
        await ReadyAsync(id);
        using var key = RSA.Create(2048);
        var body = new { public_key = key.ExportSubjectPublicKeyInfoPem() };
        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 8)
                .Select(async _ =>
                {
                    using var answer = await api.SendAsync(
                        HttpMethod.Post,
                        $"/v1/gift_cards/bulk/{id}/codes",
                        api.Key,
                        body,
                        null
                    );
                    return (int)answer.StatusCode;
                })
        );
        Assert.Single(answers, 200);
        Assert.Equal(7, answers.Count(status => status == 409));
    }

    [Fact]
    public async Task A_digital_card_reaches_its_recipient_in_time_and_nobody_else_sees_its_code()
    {
        var program = await api.ProgramAsync();
        var body = new
        {
            program_id = program,
            amount = GiftcardApi.Eur(3000),
            recipient = new { email = "ben@example.test" },
            delivery = new
            {
                deliver_at = TimeProvider.System.GetUtcNow().AddHours(1),
                from = "Ann",
                message = "Happy birthday",
            },
        };
        var sold = await api.PostAsync("/v1/gift_cards", body, 201, "digital-1");
        Assert.False(sold.TryGetProperty("code", out _));
        var id = sold.GetProperty("id").GetString()!;
        await Eventually.TrueAsync(() =>
            EventsOf(id).Any(e => e.GetProperty("type").GetString() == "gift_card.activated")
        );
        Assert.False(EventsOf(id).Single().GetProperty("data").TryGetProperty("customer_id", out _));
        await NotToBeHadAsync(id);

        await api.SqlAsync(
            $"UPDATE card_deliveries SET deliver_at = now() WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}'"
        );
        await Eventually.TrueAsync(() =>
            EventsOf(id).Any(e => e.GetProperty("type").GetString() == "gift_card.delivery_due")
        );
        var due = EventsOf(id).Single(e => e.GetProperty("type").GetString() == "gift_card.delivery_due");
        Assert.Equal(
            sold.GetProperty("customer_id").GetString(),
            due.GetProperty("data").GetProperty("customer_id").GetString()
        );
        var carried = await InternalAsync(id);
        Assert.Equal(
            ("Ann", "Happy birthday", 3000),
            (
                carried.GetProperty("from").GetString(),
                carried.GetProperty("message").GetString(),
                GiftcardApi.Amount(carried, "amount")
            )
        );
        await api.PostAsync(
            "/v1/redemptions",
            GiftcardApi.Redemption(carried.GetProperty("code").GetString()!, 3000),
            201
        );
        Assert.False((await api.PostAsync("/v1/gift_cards", body, 201, "digital-1")).TryGetProperty("code", out _));
        Assert.DoesNotContain(
            api.Sidecar.Published,
            e =>
                e.GetRawText().Contains("Happy birthday", StringComparison.Ordinal)
                || e.GetRawText().Contains(carried.GetProperty("code").GetString()!, StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_digital_card_that_is_over_before_its_time_is_not_sent()
    {
        var program = await api.ProgramAsync(
            new
            {
                name = "Refundable",
                currency = "EUR",
                cash_out_below = GiftcardApi.Eur(9000),
            }
        );
        var sold = await api.PostAsync(
            "/v1/gift_cards",
            new
            {
                program_id = program,
                amount = GiftcardApi.Eur(3000),
                recipient = new { email = "eve@example.test" },
                delivery = new { deliver_at = TimeProvider.System.GetUtcNow().AddHours(1) },
            },
            201
        );
        var id = sold.GetProperty("id").GetString()!;
        await api.PostAsync($"/v1/gift_cards/{id}/cash_out", null);
        await api.PostAsync($"/v1/gift_cards/{id}/close", null);
        await api.SqlAsync(
            $"UPDATE card_deliveries SET deliver_at = now() WHERE gift_card_id = '{GiftcardApi.CardUuid(id)}'"
        );
        await Eventually.TrueAsync(async () =>
            await api.CountAsync(
                "SELECT count(*) FROM card_deliveries WHERE state = 'revoked' "
                    + $"AND gift_card_id = '{GiftcardApi.CardUuid(id)}'"
            ) == 1
        );
        await NotToBeHadAsync(id);
        Assert.DoesNotContain(EventsOf(id), e => e.GetProperty("type").GetString() == "gift_card.delivery_due");
    }

    [Fact]
    public async Task A_delivery_needs_somebody_something_and_a_time_to_come()
    {
        var program = await api.ProgramAsync();
        var to = new { email = "ann@example.test" };
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards",
                    new
                    {
                        program_id = program,
                        amount = GiftcardApi.Eur(100),
                        delivery = new { message = "To nobody" },
                    },
                    400
                )
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards",
                    new
                    {
                        program_id = program,
                        recipient = to,
                        delivery = new { message = "Nothing" },
                    },
                    400
                )
            )
        );
        Assert.Equal(
            "invalid_request",
            GiftcardApi.Code(
                await api.PostAsync(
                    "/v1/gift_cards",
                    new
                    {
                        program_id = program,
                        amount = GiftcardApi.Eur(100),
                        recipient = to,
                        delivery = new { deliver_at = "2020-01-01T00:00:00Z" },
                    },
                    400
                )
            )
        );
    }

    [Fact]
    public async Task The_clean_up_takes_what_is_over_and_leaves_the_rest()
    {
        var program = await api.ProgramAsync();
        var body = new { program_id = program, amount = GiftcardApi.Eur(700) };
        var old = (await api.PostAsync("/v1/gift_cards", body, 201, "clean-old")).GetProperty("id").GetString()!;
        var fresh = await api.PostAsync("/v1/gift_cards", body, 201, "clean-fresh");
        await api.PostAsync("/v1/gift_cards/lookup", new { code = CardCode.New() }, 404);
        await api.SqlAsync(
            $"""
            UPDATE sealed_codes SET expires_at = now() - interval '1 hour' WHERE gift_card_id = '{GiftcardApi.CardUuid(
                old
            )}';
            INSERT INTO code_misses (merchant_id, minute, misses)
            VALUES (gen_random_uuid(), now() - interval '8 days', 3)
            """
        );
        await api.RunJobAsync("giftcard-cleanup");
        await api.RunJobAsync("giftcard-cleanup");
        var runs = (await api.InspectAsync("/ops/v1/giftcard/jobs?name=giftcard-cleanup&limit=2")).GetProperty("data");
        Assert.Equal(["done", "done"], runs.EnumerateArray().Select(run => run.GetProperty("outcome").GetString()));
        await api.InspectAsync("/ops/v1/giftcard/jobs?name=no-such-job", 400);
        Assert.Equal(
            0,
            await api.CountAsync(
                $"SELECT count(*) FROM sealed_codes WHERE gift_card_id = '{GiftcardApi.CardUuid(old)}'"
            )
        );
        Assert.Equal(
            0,
            await api.CountAsync("SELECT count(*) FROM code_misses WHERE minute < now() - interval '7 days'")
        );
        Assert.NotEqual(0, await api.CountAsync("SELECT count(*) FROM code_misses"));
        Assert.Equal(
            fresh.GetRawText(),
            (await api.PostAsync("/v1/gift_cards", body, 201, "clean-fresh")).GetRawText()
        );
    }

    private Task ReadyAsync(string id) =>
        Eventually.TrueAsync(
            async () => (await api.GetAsync($"/v1/gift_cards/bulk/{id}")).GetProperty("state").GetString() == "ready",
            TimeSpan.FromSeconds(60),
            () => api.Service.Output
        );

    private IEnumerable<JsonElement> EventsOf(string id) =>
        api
            .Sidecar.Published.Select(e => e.GetProperty("event").GetProperty("data"))
            .Where(e => e.GetProperty("key").GetString() == id);

    private async Task<JsonElement> InternalAsync(string id)
    {
        using var answer = await api.Service.App.GetAsync(
            new Uri($"/internal/gift_cards/{id}/delivery", UriKind.Relative)
        );
        Assert.True(answer.IsSuccessStatusCode, $"{answer.StatusCode}");
        return JsonSerializer.Deserialize<JsonElement>(await answer.Content.ReadAsStringAsync());
    }

    private async Task NotToBeHadAsync(string id)
    {
        using var answer = await api.Service.App.GetAsync(
            new Uri($"/internal/gift_cards/{id}/delivery", UriKind.Relative)
        );
        Assert.Equal(404, (int)answer.StatusCode);
    }

    /// <summary>What a printer does with any JOSE library.</summary>
    private static string Decrypt(string jwe, RSA key) => Encoding.UTF8.GetString(Open(jwe, key));

    private static byte[] Open(string jwe, RSA key)
    {
        var parts = jwe.Split('.');
        var cipher = Base64Url.DecodeFromChars(parts[3]);
        var plain = new byte[cipher.Length];
        using var aes = new AesGcm(
            key.Decrypt(Base64Url.DecodeFromChars(parts[1]), RSAEncryptionPadding.OaepSHA256),
            16
        );
        aes.Decrypt(
            Base64Url.DecodeFromChars(parts[2]),
            cipher,
            Base64Url.DecodeFromChars(parts[4]),
            plain,
            Encoding.ASCII.GetBytes(parts[0])
        );
        return plain;
    }
}
