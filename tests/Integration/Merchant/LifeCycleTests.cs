using System.Net.Http.Json;
using System.Text.Json;
using LocalPlus.Tests.Integration.Support;

namespace LocalPlus.Tests.Integration.Merchant;

public sealed class LifeCycleTests(MerchantApi api) : IClassFixture<MerchantApi>
{
    private static readonly object Because = new { reason = "papers seen" };

    [Fact]
    public async Task A_draft_is_set_up_submitted_declined_and_approved_and_only_then_announced()
    {
        var (id, key) = await DraftAsync();
        await api.CallAsync(HttpMethod.Post, "/v1/locations", key, new { name = "Rue 1" }, 201);

        var review = await api.CallAsync(HttpMethod.Post, "/v1/merchants/me/submit", key);
        Assert.Equal("review", review.GetProperty("status").GetString());
        Assert.Equal("merchant_state", await CodeAsync("/v1/merchants/me/submit", key, null, 409));
        var declined = await OperateAsync(id, "decline", new { reason = "name the owner" });
        Assert.Equal("draft", declined.GetProperty("status").GetString());
        Assert.Equal("name the owner", declined.GetProperty("status_reason").GetString());
        await api.CallAsync(HttpMethod.Post, "/v1/merchants/me/submit", key);
        Assert.Empty(Events(id));
        var active = await OperateAsync(id, "approve", Because);

        Assert.Equal("active", active.GetProperty("status").GetString());
        Assert.True(active.TryGetProperty("activated_at", out _));
        await Eventually.TrueAsync(() => Events(id).Length == 1);
        Assert.Equal("merchant.onboarded.v1", Events(id)[0].GetProperty("topic").GetString());
    }

    [Fact]
    public async Task Each_step_is_a_version_with_its_actor_and_reason()
    {
        var (id, key, keyId) = await OnboardDraftAsync();
        await api.CallAsync(HttpMethod.Post, "/v1/merchants/me/submit", key);
        await OperateAsync(id, "approve", Because);
        await OperateAsync(id, "suspend", new { reason = "complaints" });
        await OperateAsync(id, "resume", new { reason = "settled" });

        var first = await api.CallAsync(HttpMethod.Get, $"/v1/merchants/{id}/versions?limit=2", key);
        var rest = await api.CallAsync(
            HttpMethod.Get,
            $"/v1/merchants/{id}/versions?cursor={first.GetProperty("next_cursor").GetString()}",
            key
        );
        JsonElement[] steps =
        [
            .. first.GetProperty("data").EnumerateArray(),
            .. rest.GetProperty("data").EnumerateArray(),
        ];

        Assert.Equal(
            [(5, "resumed"), (4, "suspended"), (3, "approved"), (2, "submitted"), (1, "onboarded")],
            steps.Select(s => (s.GetProperty("version").GetInt32(), s.GetProperty("action").GetString()!))
        );
        Assert.Equal("complaints", steps[1].GetProperty("reason").GetString());
        Assert.Equal("suspended", steps[1].GetProperty("merchant").GetProperty("status").GetString());
        Assert.Equal(keyId, steps[3].GetProperty("actor").GetProperty("id").GetString());
        // A merchant learns that it was an operator, and operators which.
        Assert.False(steps[1].GetProperty("actor").TryGetProperty("id", out _));
        var theirs = await api.OperateAsync(HttpMethod.Get, $"/ops/v1/merchants/{id}/versions", "viewer");
        Assert.Equal(
            "olga@localplus.local",
            theirs.GetProperty("data")[0].GetProperty("actor").GetProperty("id").GetString()
        );
        await Eventually.TrueAsync(() => Events(id).Length == 3);
        Assert.Equal(
            ["merchant.onboarded.v1", "merchant.changed.v1", "merchant.changed.v1"],
            Events(id).Select(e => e.GetProperty("topic").GetString())
        );
    }

    [Fact]
    public async Task A_suspended_merchant_changes_nothing_but_its_keys_and_a_closed_one_stays_closed()
    {
        var (id, key, keyId) = await api.OnboardAsync();
        await OperateAsync(id, "suspend", Because);
        var location = new { name = "Rue 2" };

        Assert.Equal("merchant_suspended", await CodeAsync("/v1/locations", key, location, 403));
        await api.CallAsync(HttpMethod.Get, "/v1/locations", key);
        var successor = await api.CallAsync(HttpMethod.Post, $"/v1/api_keys/{keyId}/rotate", key, new { }, 201);
        Assert.Equal("suspended", (await VerifyAsync(key)).GetProperty("status").GetString());

        await OperateAsync(id, "close", Because, "admin");
        Assert.Equal("merchant_closed", await CodeAsync("/v1/locations", key, location, 403));
        await api.CallAsync(HttpMethod.Get, "/v1/merchants/me", key);
        var refused = await OperateAsync(id, "resume", Because, status: 409);
        Assert.Equal("merchant_state", refused.GetProperty("code").GetString());
        await api.CallAsync(
            HttpMethod.Delete,
            $"/v1/api_keys/{successor.GetProperty("id").GetString()}",
            key,
            status: 204
        );
    }

    [Theory]
    [InlineData("viewer", "suspend", 403)]
    [InlineData("operator", "close", 403)]
    [InlineData("operator", "resume", 409)]
    public async Task Steps_need_their_role_and_their_beginning(string role, string verb, int status)
    {
        var (id, _, _) = await api.OnboardAsync();
        await OperateAsync(id, verb, Because, role, status);
    }

    [Theory]
    [InlineData("""{"reason":"  "}""")]
    [InlineData("""{"reason":"no"}""")]
    public async Task A_step_of_an_operator_needs_a_reason(string body)
    {
        var (id, _, _) = await api.OnboardAsync();
        var problem = await OperateAsync(id, "suspend", body, status: 400);
        Assert.Equal("/reason", problem.GetProperty("errors")[0].GetProperty("pointer").GetString());
    }

    [Fact]
    public async Task Of_equal_steps_at_once_one_is_taken()
    {
        var (id, _, _) = await api.OnboardAsync();

        var answers = await Task.WhenAll(
            Enumerable
                .Range(0, 6)
                .Select(_ =>
                    api.Service.SendAsync(
                        HttpMethod.Post,
                        $"/ops/v1/merchants/{id}/suspend",
                        api.Token("operator"),
                        Because
                    )
                )
        );

        Assert.Equal([200, 409, 409, 409, 409, 409], answers.Select(a => (int)a.StatusCode).Order());
    }

    [Fact]
    public async Task Operators_find_merchants_by_status_and_name()
    {
        var name = $"Boulangerie {Guid.CreateVersion7():N}";
        var made = new List<string>();
        for (var i = 0; i < 3; i++)
        {
            using var answer = await api.OnboardAsync(New(name, i == 0 ? "active" : "draft"));
            made.Add((await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString()!);
        }

        var path = $"/ops/v1/merchants?name={Uri.EscapeDataString(name.ToUpperInvariant())}";
        var drafts = await api.OperateAsync(HttpMethod.Get, $"{path}&status=draft", "viewer");
        var first = await api.OperateAsync(HttpMethod.Get, $"{path}&limit=2", "viewer");
        var second = await api.OperateAsync(
            HttpMethod.Get,
            $"{path}&limit=2&cursor={first.GetProperty("next_cursor").GetString()}",
            "viewer"
        );

        Assert.Equal([made[2], made[1]], Ids(drafts));
        Assert.Equal([made[2], made[1], made[0]], Ids(first).Concat(Ids(second)));
        await api.OperateAsync(HttpMethod.Get, $"/ops/v1/merchants/{made[0]}", "viewer");
        await api.OperateAsync(HttpMethod.Get, "/ops/v1/merchants?status=asleep", "viewer", status: 400);
    }

    private static IEnumerable<string> Ids(JsonElement page) =>
        page.GetProperty("data").EnumerateArray().Select(m => m.GetProperty("id").GetString()!);

    private static object New(string name, string status) =>
        new
        {
            name,
            country = "FR",
            currency = "EUR",
            contact_email = "hello@fournil.test",
            status,
        };

    private async Task<(string Id, string Key)> DraftAsync()
    {
        var (id, key, _) = await OnboardDraftAsync();
        return (id, key);
    }

    private async Task<(string Id, string Key, string KeyId)> OnboardDraftAsync()
    {
        using var answer = await api.OnboardAsync(New("Le Fournil", "draft"));
        var body = await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
        var key = body.GetProperty("api_key");
        Assert.Equal("draft", body.GetProperty("status").GetString());
        return (
            body.GetProperty("id").GetString()!,
            key.GetProperty("key").GetString()!,
            key.GetProperty("id").GetString()!
        );
    }

    private Task<JsonElement> OperateAsync(
        string id,
        string verb,
        object body,
        string role = "operator",
        int status = 200
    ) => api.OperateAsync(HttpMethod.Post, $"/ops/v1/merchants/{id}/{verb}", role, body, status);

    private async Task<string> CodeAsync(string path, string key, object? body, int status) =>
        (await api.CallAsync(HttpMethod.Post, path, key, body, status)).GetProperty("code").GetString()!;

    private async Task<JsonElement> VerifyAsync(string key)
    {
        using var answer = await api.Service.App.PostAsJsonAsync("/internal/api_keys/verify", new { key });
        return await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>();
    }

    private JsonElement[] Events(string id) => api.Announced(id);
}
