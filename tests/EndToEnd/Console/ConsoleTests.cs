using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace LocalPlus.Tests.EndToEnd.Console;

/// <summary>The operator's console as a browser without a script sees it: everything works that way.</summary>
[Collection(StackTests.Name)]
public sealed class ConsoleTests(StackFixture stack)
{
    private const int MostBytesOfTheFirstScreen = 100_000;

    [Fact]
    public async Task Whoever_signs_in_sees_how_it_is_in_one_small_page_that_runs_nothing_foreign()
    {
        using var browser = await Browser.SignedInAsync(stack, "vera");

        using var answer = await browser.GetAsync("/console");
        var page = await answer.Content.ReadAsStringAsync();
        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        var files = page.Split('"').Where(p => p.StartsWith("/console/assets/", StringComparison.Ordinal)).Distinct();
        var bytes = page.Length;
        foreach (var file in files)
        {
            bytes += (await browser.PageAsync(file)).Length;
        }

        Assert.Contains("Redemptions that are not over", page, StringComparison.Ordinal);
        Assert.Contains("Vera Viewer", page, StringComparison.Ordinal);
        Assert.InRange(bytes, 1, MostBytesOfTheFirstScreen);
        Assert.Contains("default-src 'none'", policy, StringComparison.Ordinal);
        Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("style=\"", page, StringComparison.Ordinal);
        Assert.DoesNotContain("onclick", page, StringComparison.Ordinal);
        Assert.True(answer.Headers.CacheControl?.NoStore);
    }

    [Fact]
    public async Task Nobody_sees_a_page_without_signing_in()
    {
        using var browser = new Browser(stack.LocalPlus.Gateway);
        foreach (var path in new[] { "/console", "/console/runs", "/console/dead-letters", "/console/findings" })
        {
            await browser.PageAsync(path);

            Assert.Equal("/sign-in", browser.At.AbsolutePath);
        }
    }

    [Fact]
    public async Task An_operator_finds_a_held_redemption_and_confirms_it_and_the_till_sees_that()
    {
        var id = await HeldAsync("ticket 17");
        using var browser = await Browser.SignedInAsync(stack, "otto");

        Assert.Contains(id, await browser.PageAsync("/console/runs?state=held"), StringComparison.Ordinal);
        var page = await browser.PageAsync($"/console/runs/{id}");
        Assert.Contains("10.00 EUR are held until", page, StringComparison.Ordinal);
        Assert.Contains("10.00 EUR leave the card for good", page, StringComparison.Ordinal);
        using var done = await browser.SubmitAsync(
            page,
            $"/console/runs/{id}/confirm",
            ("reason", "the till broke"),
            ("amount", "")
        );

        var after = await done.Content.ReadAsStringAsync();
        Assert.True(after.Contains("Done: Confirm.", StringComparison.Ordinal), after);
        Assert.Contains("the till broke", after, StringComparison.Ordinal);
        Assert.Equal("completed", (string)(await SendAsync(HttpMethod.Get, $"/v1/redemptions/{id}"))["state"]!);
    }

    [Fact]
    public async Task A_role_that_does_not_allow_it_has_no_button_and_is_refused_all_the_same()
    {
        var id = await HeldAsync("ticket 18");
        using var browser = await Browser.SignedInAsync(stack, "vera");
        var page = await browser.PageAsync($"/console/runs/{id}");
        var token = page.Split("__RequestVerificationToken\" value=\"")[1].Split('"')[0];

        Assert.Contains("This needs the role operator; yours is viewer.", page, StringComparison.Ordinal);
        Assert.DoesNotContain($"action=\"/console/runs/{id}/", page, StringComparison.Ordinal);
        using var refused = await browser.PostAsync(
            new Uri(browser.At, $"/console/runs/{id}/cancel"),
            ("reason", "because"),
            ("__RequestVerificationToken", token)
        );
        Assert.Equal(403, (int)refused.StatusCode);
        Assert.Contains(
            "Your role does not allow this",
            await refused.Content.ReadAsStringAsync(),
            StringComparison.Ordinal
        );
        Assert.Equal("held", (string)(await SendAsync(HttpMethod.Get, $"/v1/redemptions/{id}"))["state"]!);
    }

    [Fact]
    public async Task Many_at_once_are_chosen_looked_at_and_done_by_whoever_may()
    {
        var id = await HeldAsync("ticket 20");
        using var viewer = await Browser.SignedInAsync(stack, "vera");
        var list = await viewer.PageAsync("/console/runs?state=held");
        Assert.DoesNotContain("action=\"/console/runs/bulks\"", list, StringComparison.Ordinal);
        using var browser = await Browser.SignedInAsync(stack, "otto");

        using var chosen = await browser.SubmitAsync(
            await browser.PageAsync("/console/runs?state=held"),
            "/console/runs/bulks",
            ("verb", "suspend")
        );
        var preview = await chosen.Content.ReadAsStringAsync();
        var at = browser.At.AbsolutePath;
        Assert.Contains("Nothing has been done.", preview, StringComparison.Ordinal);
        Assert.Contains(id, preview, StringComparison.Ordinal);
        var runs = preview.Split(" redemptions are chosen")[0].Split(' ')[^1];
        using var wrong = await browser.SubmitAsync(
            preview,
            $"{at}/start",
            ("reason", "look at them first"),
            ("count", $"{runs}0")
        );
        Assert.Contains("bulk_count", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(
            "This needs the role operator; yours is viewer.",
            await viewer.PageAsync(at),
            StringComparison.Ordinal
        );

        using var left = await browser.SubmitAsync(
            await browser.PageAsync(at),
            $"{at}/cancel",
            ("reason", "not today")
        );
        Assert.Contains("It was cancelled", await left.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains(at, await browser.PageAsync("/console/runs/bulks"), StringComparison.Ordinal);
        Assert.Equal("held", (string)(await SendAsync(HttpMethod.Get, $"/v1/redemptions/{id}"))["state"]!);
    }

    [Fact]
    public async Task Tasks_jobs_and_switches_are_there_to_look_at()
    {
        using var browser = await Browser.SignedInAsync(stack, "vera");

        var tasks = await browser.PageAsync("/console/tasks?state=dead");
        Assert.Contains("scheduled", tasks, StringComparison.Ordinal);
        Assert.DoesNotContain("trouble", tasks, StringComparison.Ordinal);
        var jobs = await browser.PageAsync("/console/jobs");
        Assert.Contains("None has run yet.", jobs, StringComparison.Ordinal);
        Assert.DoesNotContain("trouble", jobs, StringComparison.Ordinal);
        var flags = await browser.PageAsync("/console/flags");
        Assert.Contains("offline_allowances", flags, StringComparison.Ordinal);
        using var french = await Browser.SignedInAsync(stack, "vera", "fr");
        Assert.Contains("Interrupteurs", await french.PageAsync("/console/flags"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_form_that_another_site_sends_does_nothing()
    {
        var id = await HeldAsync("ticket 19");
        using var browser = await Browser.SignedInAsync(stack, "otto");

        foreach (
            var path in new[] { $"/console/runs/{id}/cancel", "/console/sign-out", "/console/sign-out-everywhere" }
        )
        {
            using var answer = await browser.PostAsync(new Uri(stack.LocalPlus.Gateway, path), ("reason", "because"));

            Assert.Equal(400, (int)answer.StatusCode);
        }

        Assert.Equal("held", (string)(await SendAsync(HttpMethod.Get, $"/v1/redemptions/{id}"))["state"]!);
        Assert.Contains("Otto Operator", await browser.PageAsync("/console"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_merchant_wrote_is_shown_and_never_run()
    {
        const string script = "<script>alert(1)</script>";
        var id = await HeldAsync(script);
        using var browser = await Browser.SignedInAsync(stack, "vera");

        foreach (var path in new[] { "/console/runs?state=held", $"/console/runs/{id}" })
        {
            var page = await browser.PageAsync(path);
            Assert.DoesNotContain(script, page, StringComparison.Ordinal);
            Assert.Contains("&lt;script&gt;alert(1)&lt;/script&gt;", page, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Signing_out_everywhere_ends_the_sessions_on_other_machines()
    {
        using var here = await Browser.SignedInAsync(stack, "ada");
        using var there = await Browser.SignedInAsync(stack, "ada");
        using var another = await Browser.SignedInAsync(stack, "otto");

        using var ended = await here.SubmitAsync(await here.PageAsync("/console"), "/console/sign-out-everywhere");

        // The provider still knows that browser and lets it in anew; the session of before is gone.
        await there.PageAsync("/console/runs");
        Assert.Contains("/connect/authorize", there.Way);
        Assert.Contains("Otto Operator", await another.PageAsync("/console"), StringComparison.Ordinal);
        Assert.DoesNotContain("/connect/authorize", another.Way);
        using var again = await Browser.SignedInAsync(stack, "ada");
        Assert.Contains("Ada Admin", await again.PageAsync("/console"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_speaks_french_to_who_does()
    {
        using var browser = await Browser.SignedInAsync(stack, "vera", "fr-FR,fr;q=0.9,en;q=0.8");

        var page = await browser.PageAsync("/console");
        Assert.Contains("<html lang=\"fr\">", page, StringComparison.Ordinal);
        Assert.Contains("Utilisations", page, StringComparison.Ordinal);

        using var english = await browser.SubmitAsync(page, "/console/language", ("language", "en"));
        Assert.Contains("<html lang=\"en\">", await english.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_said_so()
    {
        using var browser = await Browser.SignedInAsync(stack, "vera");

        Assert.Contains(
            "There is no such thing",
            await browser.PageAsync("/console/runs/rdm_01m8nkr5fgfnt9h1kxbgmyvzr5"),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "There is no such thing",
            await browser.PageAsync("/console/nowhere", 404),
            StringComparison.Ordinal
        );
    }

    private async Task<string> HeldAsync(string reference)
    {
        var program = await SendAsync(HttpMethod.Post, "/v1/programs", new { name = "Console", currency = "EUR" });
        var card = await SendAsync(
            HttpMethod.Post,
            "/v1/gift_cards",
            new { program_id = (string)program["id"]!, amount = new { amount = 1000, currency = "EUR" } }
        );
        var held = await SendAsync(
            HttpMethod.Post,
            "/v1/redemptions",
            new
            {
                reference = $"{reference} {Guid.CreateVersion7():N}",
                amount = new { amount = 1000, currency = "EUR" },
                mode = "two_phase",
                sources = new[] { new { gift_card = new { code = (string)card["code"]! } } },
            }
        );
        return (string)held["id"]!;
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", stack.ApiKey);
        if (body is not null)
        {
            request.Headers.Add("Idempotency-Key", Guid.CreateVersion7(TimeProvider.System.GetUtcNow()).ToString());
            request.Content = JsonContent.Create(body);
        }

        using var answer = await stack.Client.SendAsync(request);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{method} {path} was answered {(int)answer.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }
}
