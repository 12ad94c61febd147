using System.Text.Json;
using LocalPlus.Kernel;
using LocalPlus.Tests.Integration.Support;
using Microsoft.AspNetCore.Http;

namespace LocalPlus.Tests.Integration.Wallet;

/// <summary>People are forgotten, and what stands against it.</summary>
public sealed class ErasureTests(WalletApi api) : IClassFixture<WalletApi>
{
    private const string Topic = "customer.erased.v1";

    [Fact]
    public async Task Who_is_erased_is_found_by_nothing_and_its_id_tells_when()
    {
        var (merchant, key) = api.NewMerchant();
        var (_, stranger) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "gone@example.test", phone = "+33123456711" });
        await api.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{id}/erase", stranger, new { }, 404);
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/erasure", key, status: 404);

        var erased = await EraseAsync(key, id);

        Assert.Equal(id, erased.GetProperty("customer_id").GetString());
        var receipt = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/erasure", key);
        Assert.Equal(erased.ToString(), receipt.ToString());
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/erasure", stranger, status: 404);
        foreach (var path in new[] { "", "/wallet", "/consents", "/export", "/legal_holds" })
        {
            await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}{path}", key, status: 404);
        }

        await api.Service.PatchAsync($"/v1/customers/{id}", key, 2, new { name = "Back" }, 404);
        await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{id}/contact?merchant_id={merchant}",
            status: 404
        );
        await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customer_ids/{id}?merchant_id={merchant}",
            status: 404
        );
        foreach (var by in new object[] { new { email = "gone@example.test" }, new { phone = "+33123456711" } })
        {
            var found = await api.Service.CallAsync(HttpMethod.Post, "/v1/customers/find", key, by);
            Assert.Empty(found.GetProperty("data").EnumerateArray());
        }

        var listed = await api.Service.CallAsync(HttpMethod.Get, "/v1/customers", key);
        Assert.Empty(listed.GetProperty("data").EnumerateArray());
        // The address is free: whoever comes with it is somebody new.
        Assert.NotEqual(id, await NewAsync(key, new { email = "gone@example.test" }));
    }

    [Fact]
    public async Task Nothing_that_is_left_can_be_opened_or_tried_an_address_against()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "left@example.test", phone = "+33123456712" });
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"/v1/customers/{id}/consents",
            key,
            new
            {
                purpose = "newsletter",
                text_version = "1",
                proof = "a form",
            },
            201
        );

        await EraseAsync(key, id);

        var uuid = CustomerId.Parse(id).Value;
        Assert.Equal(
            1L,
            await api.Database.ScalarAsync<long>(
                $"""
                SELECT count(*)
                  FROM customers c
                 WHERE c.customer_id = '{uuid}'
                   AND num_nonnulls(c.personal_data, c.email_lookup, c.phone_lookup) = 0
                   AND NOT EXISTS (SELECT FROM subject_keys k WHERE k.customer_id = c.customer_id)
                   AND NOT EXISTS (SELECT
                                     FROM customer_consents s
                                    WHERE s.customer_id = c.customer_id
                                      AND s.proof IS NOT NULL)
                """
            )
        );
    }

    [Fact]
    public async Task Who_is_erased_again_or_many_times_at_once_was_erased_once()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "once@example.test" });

        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => EraseAsync(key, id)));
        var later = await EraseAsync(key, id);

        Assert.Single(answers.Append(later).Select(answer => answer.ToString()).Distinct());
        await Eventually.TrueAsync(() => EventsOf(id).Any());
        var told = Assert.Single(EventsOf(id));
        Assert.Equal("customer.erased", told.GetProperty("type").GetString());
        Assert.Equal(
            later.GetProperty("erased_at").GetString(),
            told.GetProperty("data").GetProperty("erased_at").GetString()
        );
    }

    [Fact]
    public async Task Who_exports_holds_and_erases_a_person_is_told_to_the_audit_without_naming_the_person()
    {
        var (merchant, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "audited@example.test", name = "Wilhelmina" });
        await api.Service.PatchAsync($"/v1/customers/{id}", key, 1, new { name = "Wilhelmina Q." });
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"/ops/v1/wallet/customers/{id}/legal_hold?merchant_id={merchant}",
            api.Operator("operator"),
            new { reason = "Wilhelmina is in court" }
        );
        await EraseAsync(key, id, 409);
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"/ops/v1/wallet/customers/{id}/legal_hold/lift?merchant_id={merchant}",
            api.Operator("operator"),
            new { reason = "Wilhelmina has won" }
        );
        await EraseAsync(key, id);
        await EraseAsync(key, id);

        JsonElement[] told = [];
        await Eventually.TrueAsync(() =>
        {
            told = [.. AuditOf(id)];
            return told.Length >= 5;
        });
        Assert.Equal(
            ["customer.change", "customer.erase", "customer.erase", "customer.hold", "customer.lift_hold"],
            told.Select(e => e.GetProperty("action").GetString()).Order(StringComparer.Ordinal)
        );
        var change = told.Single(e => e.GetProperty("action").GetString() == "customer.change");
        Assert.Equal(
            "name",
            Assert.Single(change.GetProperty("changes").EnumerateArray()).GetProperty("field").GetString()
        );
        Assert.DoesNotContain(told, e => e.GetRawText().Contains("Wilhelmina", StringComparison.Ordinal));
        Assert.Contains(told, e => e.GetProperty("actor_kind").GetString() == "operator");
    }

    [Fact]
    public async Task An_erasure_that_nobody_hears_of_is_told_when_the_broker_is_back()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "unheard@example.test" });
        api.Sidecar.RefusedTopic = Topic;
        await EraseAsync(key, id);
        await api.StopAsync();
        Assert.Empty(EventsOf(id));

        api.Sidecar.RefusedTopic = null;
        await api.StartAsync();

        await Eventually.TrueAsync(() => EventsOf(id).Any(), because: () => api.Service.Output);
    }

    [Fact]
    public async Task A_legal_hold_stands_against_it_until_who_set_it_lifts_it()
    {
        var (merchant, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "kept@example.test" });
        var other = await NewAsync(key, new { email = "other@example.test" });
        var operate = $"/ops/v1/wallet/customers/{id}/legal_hold";
        await HoldAsync(key, id, "", "dispute 12");
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"{operate}?merchant_id={merchant}",
            api.Operator("operator"),
            new { reason = "asked by a court" }
        );

        Assert.Equal("customer_on_hold", Code(await EraseAsync(key, id, 409)));
        Assert.Equal(
            "customer_on_hold",
            Code(
                await api.Service.CallAsync(
                    HttpMethod.Post,
                    $"/v1/customers/{id}/merge",
                    key,
                    new { into = other },
                    409
                )
            )
        );
        await HoldAsync(key, id, "/lift", "settled");
        // The merchant's is gone, the operators' is not its to lift.
        await HoldAsync(key, id, "/lift", "and this one", 404);
        Assert.Equal("customer_on_hold", Code(await EraseAsync(key, id, 409)));
        var holds = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/legal_holds", key);
        Assert.Equal(
            ["asked by a court", "dispute 12"],
            holds.GetProperty("data").EnumerateArray().Select(h => h.GetProperty("reason").GetString())
        );
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"{operate}/lift?merchant_id={merchant}",
            api.Operator("viewer"),
            new { reason = "not mine to say" },
            403
        );
        await api.Service.CallAsync(
            HttpMethod.Post,
            $"{operate}/lift?merchant_id={merchant}",
            api.Operator("operator"),
            new { reason = "the court is done" }
        );

        await EraseAsync(key, id);
    }

    [Fact]
    public async Task All_that_were_merged_into_a_person_are_forgotten_with_it()
    {
        var (_, key) = api.NewMerchant();
        var from = await NewAsync(key, new { email = "from@example.test" });
        var into = await NewAsync(key, new { email = "into@example.test" });
        await api.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{from}/merge", key, new { into });

        await EraseAsync(key, from);

        foreach (var id in new[] { from, into })
        {
            await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key, status: 404);
            await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/erasure", key);
            await Eventually.TrueAsync(() => EventsOf(id).Any());
        }

        await NewAsync(key, new { email = "from@example.test" });
    }

    [Fact]
    public async Task T32_The_operators_copy_of_the_list_forgets_again_whom_a_restored_backup_knows()
    {
        var (merchant, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "copied@example.test" });
        await api.StopAsync();
        var backup = await api.Database.CloneAsync();
        await api.StartAsync();
        await EraseAsync(key, id);
        var list = await api.Service.CallAsync(HttpMethod.Get, "/ops/v1/wallet/erasures", api.Operator("operator"));
        var copy = list.GetProperty("erasures").EnumerateArray().ToArray();
        Assert.Contains(copy, e => e.GetProperty("customer_id").GetString() == id);
        await api.StopAsync();
        await api.StartAsync(backup);
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key);

        await api.Service.CallAsync(
            HttpMethod.Post,
            "/ops/v1/wallet/erasures",
            api.Operator("operator"),
            new { erasures = copy },
            403
        );
        var applied = await ApplyAsync(copy);
        var again = await ApplyAsync(copy);

        Assert.InRange(applied, 1, copy.Length);
        Assert.Equal(0, again);
        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}", key, status: 404);
        await api.Service.InvokeAsync(
            HttpMethod.Get,
            $"/internal/customers/{id}/contact?merchant_id={merchant}",
            status: 404
        );

        async Task<int> ApplyAsync(JsonElement[] erasures)
        {
            var answer = await api.Service.CallAsync(
                HttpMethod.Post,
                "/ops/v1/wallet/erasures",
                api.Operator("admin"),
                new { erasures }
            );
            return answer.GetProperty("forgotten").GetInt32();
        }
    }

    [Fact]
    public async Task Half_an_export_is_none()
    {
        var (_, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "half@example.test" });
        api.Sidecar.OnInvoke(
            "giftcard",
            "internal/holders/*",
            _ => Task.FromResult(Results.Json(new { data = Array.Empty<object>() }))
        );
        api.Sidecar.OnInvoke("notification", "internal/holders/*", _ => Task.FromResult(Results.StatusCode(503)));

        var refused = await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/export", key, status: 503);

        Assert.Equal("busy", Code(refused));
    }

    [Fact]
    public async Task Who_may_change_customers_may_neither_export_nor_erase_them()
    {
        var (merchant, key) = api.NewMerchant();
        var id = await NewAsync(key, new { email = "scope@example.test" });
        var cashier = api.Sidecar.IssueKey(merchant, "customers:read", "customers:write");

        await api.Service.CallAsync(HttpMethod.Get, $"/v1/customers/{id}/export", cashier, status: 403);
        await EraseAsync(cashier, id, 403);
        await HoldAsync(cashier, id, "", "because", 403);
    }

    private static string? Code(JsonElement problem) => problem.GetProperty("code").GetString();

    private IEnumerable<JsonElement> EventsOf(string customer) =>
        api
            .Sidecar.Published.Where(p => p.GetProperty("topic").GetString() == Topic)
            .Select(p => p.GetProperty("event").GetProperty("data"))
            .Where(e => e.GetProperty("key").GetString() == customer);

    private IEnumerable<JsonElement> AuditOf(string customer) =>
        api
            .Sidecar.Published.Where(p => p.GetProperty("topic").GetString() == "wallet.audit.v1")
            .Select(p => p.GetProperty("event").GetProperty("data").GetProperty("data"))
            .Where(e => e.TryGetProperty("target", out var target) && target.GetString() == customer);

    private async Task<string> NewAsync(string key, object body) =>
        (await api.Service.CallAsync(HttpMethod.Post, "/v1/customers", key, body, 201)).GetProperty("id").GetString()!;

    private Task<JsonElement> EraseAsync(string key, string id, int status = 200) =>
        api.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{id}/erase", key, new { }, status);

    private Task<JsonElement> HoldAsync(string key, string id, string verb, string reason, int status = 200) =>
        api.Service.CallAsync(HttpMethod.Post, $"/v1/customers/{id}/legal_hold{verb}", key, new { reason }, status);
}
