using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;

namespace LocalPlus.Tests.Integration.Merchant;

public sealed class DetailsTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private const string Iban = "FR14 2004 1010 0505 0001 3M02 606";

    private static readonly object Details = new
    {
        legal_name = "Le Fournil SARL",
        address = new
        {
            line1 = "1 rue de la Paix",
            postal_code = "75002",
            city = "Paris",
        },
        vat_id = "FR 40 303 265 045",
        iban = Iban,
        contacts = new[] { new { role = "finance", email = "compta@fournil.test" } },
        support_email = "aide@Fournil.TEST",
        time_zone = "Europe/Paris",
    };

    [Fact]
    public async Task What_a_merchant_says_of_itself_is_kept_and_its_account_is_masked()
    {
        var (id, key, _) = await api.OnboardAsync();

        var changed = await api.PatchAsync(key, Details, 1);
        var named = await api.PatchAsync(key, new { name = "Fournil" }, 2);

        Assert.Equal("FR40303265045", changed.GetProperty("vat_id").GetString());
        Assert.Equal("FR••2606", changed.GetProperty("iban").GetString());
        Assert.Equal("aide@fournil.test", changed.GetProperty("support_email").GetString());
        Assert.Equal("Fournil", named.GetProperty("name").GetString());
        // What was not sent stayed.
        Assert.Equal("Le Fournil SARL", named.GetProperty("legal_name").GetString());
        Assert.Equal("FR••2606", named.GetProperty("iban").GetString());
        var versions = await api.CallAsync(HttpMethod.Get, $"/v1/merchants/{id}/versions", key);
        Assert.Equal(
            ["Fournil", "Le Fournil", "Le Fournil"],
            versions
                .GetProperty("data")
                .EnumerateArray()
                .Select(v => v.GetProperty("merchant").GetProperty("name").GetString())
        );
        var contact = await api.Service.App.GetFromJsonAsync<JsonElement>($"/internal/merchants/{id}/contact");
        Assert.Equal("aide@fournil.test", contact.GetProperty("support_email").GetString());
    }

    [Fact]
    public async Task No_account_stands_in_the_database_or_in_an_event()
    {
        var (_, key, _) = await api.OnboardAsync();
        await api.PatchAsync(key, Details, 1);

        await using var connection = new NpgsqlConnection(api.Database.OwnerConnectionString);
        await connection.OpenAsync();
        const string everything = """
            SELECT string_agg(t.row, ' ')
              FROM (SELECT m::text AS row FROM merchants m
                    UNION ALL SELECT v::text FROM merchant_versions v
                    UNION ALL SELECT o::text FROM outbox_events o) t
            """;
        await using var command = new NpgsqlCommand(everything, connection);
        var dump = (string)(await command.ExecuteScalarAsync())!;
        Assert.Contains("FR••2606", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("FR1420041010", dump, StringComparison.Ordinal);
        Assert.DoesNotContain("10100505", dump, StringComparison.Ordinal);
        Assert.DoesNotContain(Convert.ToHexString("FR1420041010"u8).ToLowerInvariant(), dump, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"vat_id":"FR40303265046"}""", "/vat_id")]
    [InlineData("""{"vat_id":"DE136695976"}""", "/vat_id")]
    [InlineData("""{"iban":"FR1420041010050500013M02607"}""", "/iban")]
    [InlineData("""{"time_zone":"Europe/Atlantis"}""", "/time_zone")]
    [InlineData("""{"time_zone":"../etc/passwd"}""", "/time_zone")]
    [InlineData("""{"support_email":"nobody"}""", "/support_email")]
    [InlineData("""{"contacts":[{"role":"legal","email":"x"}]}""", "/contacts/0/email")]
    [InlineData("""{"address":{"line1":" ","postal_code":"1","city":"Paris"}}""", "/address/line1")]
    [InlineData("""{"address":{"line1":"a","postal_code":"1","city":"Paris","country":"fr"}}""", "/address/country")]
    [InlineData("""{"locale":"de"}""", "/locale")]
    public async Task What_is_wrong_is_named(string body, string pointer)
    {
        var (_, key, _) = await api.OnboardAsync();

        var problem = await api.PatchAsync(key, JsonElement.Parse(body), 1, 400);

        Assert.Equal(pointer, problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task Of_two_who_saw_one_version_one_is_refused()
    {
        var (_, key, _) = await api.OnboardAsync();

        await api.PatchAsync(key, new { name = "One" }, 1);
        var late = await api.PatchAsync(key, new { name = "Two" }, 1, 412);
        var blind = await api.PatchAsync(key, new { name = "Two" }, null, 428);

        Assert.Equal("version_conflict", late.GetProperty("code").GetString());
        Assert.Equal("if_match_required", blind.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_live_draft_says_who_it_is_before_it_is_reviewed()
    {
        using var answer = await api.OnboardAsync(
            new
            {
                name = "Florist",
                country = "FR",
                currency = "EUR",
                contact_email = "a@b.test",
                mode = "live",
                status = "draft",
            }
        );
        var key = (await answer.Content.ReadFromJsonAsync<JsonElement>())
            .GetProperty("api_key")
            .GetProperty("key")
            .GetString()!;

        var refused = await api.CallAsync(HttpMethod.Post, "/v1/merchants/me/submit", key, status: 422);
        Assert.Equal("merchant_incomplete", refused.GetProperty("code").GetString());
        Assert.Equal(
            ["/legal_name", "/address", "/iban", "/support_email"],
            refused.GetProperty("errors").EnumerateArray().Select(e => e.GetProperty("pointer").GetString())
        );
        await api.PatchAsync(key, Details, 1);
        await api.CallAsync(HttpMethod.Post, "/v1/merchants/me/submit", key);
        // What an operator looks at stays as it is.
        var frozen = await api.PatchAsync(key, new { name = "Other" }, 3, 403);
        Assert.Equal("merchant_not_active", frozen.GetProperty("code").GetString());
    }

    [Fact]
    public async Task How_a_merchant_wants_its_redemptions_comes_with_the_verdict_on_its_keys()
    {
        var (_, key, _) = await api.OnboardAsync();
        var settings = new
        {
            hold_seconds = 120,
            partial = "allow",
            refund_days = 30,
            velocity_limits = new object[]
            {
                new
                {
                    per = "card",
                    within = "hour",
                    count = 5,
                },
                new
                {
                    per = "terminal",
                    within = "day",
                    amount = new { amount = 100_000, currency = "EUR" },
                },
            },
        };

        Assert.False((await VerdictAsync(key)).TryGetProperty("settings", out _));
        var changed = await api.PatchAsync(key, new { settings }, 1);
        var verdict = (await VerdictAsync(key)).GetProperty("settings");

        Assert.Equal(2, changed.GetProperty("settings").GetProperty("velocity_limits").GetArrayLength());
        Assert.Equal(120, verdict.GetProperty("hold_seconds").GetInt32());
        Assert.Equal("terminal", verdict.GetProperty("velocity_limits")[1].GetProperty("per").GetString());
        // Settings are replaced as a whole: what is left out is as everywhere again.
        await api.PatchAsync(key, new { settings = new { } }, 2);
        Assert.False((await VerdictAsync(key)).TryGetProperty("settings", out _));
    }

    [Theory]
    [InlineData("""{"hold_seconds":9}""", "/settings/hold_seconds")]
    [InlineData("""{"refund_days":0}""", "/settings/refund_days")]
    [InlineData("""{"velocity_limits":[{"per":"card","within":"day"}]}""", "/settings/velocity_limits/0")]
    [InlineData(
        """{"velocity_limits":[{"per":"card","within":"day","amount":{"amount":1,"currency":"USD"}}]}""",
        "/settings/velocity_limits"
    )]
    [InlineData(
        """{"velocity_limits":[{"per":"card","within":"day","count":1},{"per":"card","within":"day","count":2}]}""",
        "/settings/velocity_limits"
    )]
    [InlineData("""{"velocity_limits":[{"per":"shop","within":"day","count":1}]}""", "/settings/velocity_limits/0/per")]
    public async Task What_is_wrong_with_settings_is_named(string settings, string pointer)
    {
        var (_, key, _) = await api.OnboardAsync();

        var problem = await api.PatchAsync(key, new { settings = JsonElement.Parse(settings) }, 1, 400);

        Assert.Equal(pointer, problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    private async Task<JsonElement> VerdictAsync(string key)
    {
        using var answer = await api.Service.App.PostAsJsonAsync("/internal/api_keys/verify", new { key });
        return await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
    }
}
