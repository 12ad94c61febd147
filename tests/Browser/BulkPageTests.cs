using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace LocalPlus.Tests.Browser;

/// <summary>Many runs at once, and a shop's own words, in a real browser.</summary>
[Collection(BrowserTests.Name)]
public sealed class BulkPageTests(ChromiumFixture chromium)
{
    private const float Patience = 60_000;

    [Theory]
    [InlineData(1280, true)]
    [InlineData(360, false)]
    public async Task What_is_chosen_is_looked_at_typed_and_done(int width, bool hasScript)
    {
        await chromium.HeldAsync();
        await chromium.HeldAsync();
        await using var visit = await chromium.SignInAsync(
            "otto",
            new()
            {
                Locale = "en-GB",
                ViewportSize = new() { Width = width, Height = 800 },
                JavaScriptEnabled = hasScript,
            }
        );
        var page = visit.Page;
        await visit.GoAsync("/console/runs?state=held");
        await page.ClickAsync("summary:has-text('Do something to all of these')");
        Assert.Equal(
            ["retry", "reconcile", "suspend", "resume"],
            await page.Locator("[name=verb] option").EvaluateAllAsync<string[]>("all => all.map(o => o.value)")
        );
        await page.SelectOptionAsync("[name=verb]", "retry");
        await page.ClickAsync("form[action='/console/runs/bulks'] button");

        await page.WaitForURLAsync("**/console/runs/bulks/blk_*");
        await Assertions.Expect(page.Locator(".sentence")).ToContainTextAsync("Nothing has been done.");
        var runs = (await page.InnerTextAsync("h1 small")).Split(' ')[0];
        await LookAsync(visit, $"bulk-previewed-{width}", hasScript);

        await page.FillAsync("form[action$='/start'] [name=reason]", "the ledger was away");
        await page.FillAsync("form[action$='/start'] [name=count]", runs);
        await page.ClickAsync("form[action$='/start'] button");
        await page.WaitForURLAsync("**/console/runs/bulks/blk_*");
        await OverAsync(visit, hasScript);

        var text = await page.InnerTextAsync("main");
        Assert.Contains($"It is over: {runs} done, 0 refused, 0 failed.", text, StringComparison.Ordinal);
        Assert.Contains("the ledger was away", text, StringComparison.Ordinal);
        await LookAsync(visit, $"bulk-done-{width}", hasScript);
        Assert.Equal([], visit.Complaints);
    }

    [Fact]
    public async Task A_shops_own_words_are_looked_at_as_a_mail_that_runs_nothing()
    {
        await using var visit = await chromium.SignInAsync("olga", home: "/console/shop");
        await visit.GoAsync("/console/shop/templates");
        await visit.Page.ClickAsync("a[href$='/redemption_completed/en']");
        await visit.Page.FillAsync("[name=subject]", "Thank you, {{ name }}");
        await visit.Page.ClickAsync("button[value=preview]");
        await Assertions.Expect(visit.Page.Locator("dl.facts")).ToContainTextAsync("Thank you, Anna");
        await LookAsync(visit, "template-preview", hasScript: true);

        var opened = visit.Page.Context.WaitForPageAsync();
        await visit.Page.ClickAsync("button[value=mail]");
        var mail = await opened;
        await mail.WaitForLoadStateAsync();
        Assert.Equal("null", await mail.EvaluateAsync<string>("self.origin"));
        Assert.Contains("Le Fournil", await mail.InnerTextAsync("body"), StringComparison.Ordinal);
        await mail.ScreenshotAsync(new() { Path = Pictures.At("template-mail"), FullPage = true });
        Assert.Equal([], visit.Complaints);
    }

    /// <summary>The page says so by itself, or when it is asked for again.</summary>
    private static async Task OverAsync(Visit visit, bool hasScript)
    {
        var sentence = visit.Page.Locator(".sentence");
        if (hasScript)
        {
            await Assertions.Expect(sentence).ToContainTextAsync("It is over", new() { Timeout = Patience });
            return;
        }

        var until = TimeProvider.System.GetUtcNow().AddMilliseconds(Patience);
        while (!(await sentence.InnerTextAsync()).StartsWith("It is over", StringComparison.Ordinal))
        {
            Assert.True(TimeProvider.System.GetUtcNow() < until, await visit.Page.InnerTextAsync("main"));
            await visit.Page.ReloadAsync();
        }
    }

    private static async Task LookAsync(Visit visit, string name, bool hasScript)
    {
        await visit.Page.ScreenshotAsync(new() { Path = Pictures.At(name), FullPage = true });
        // What looks for obstacles is a script itself.
        if (hasScript)
        {
            var found = await visit.Page.RunAxe();
            Assert.Empty(found.Violations.Where(v => v.Impact is "serious" or "critical").Select(v => v.Id));
        }
    }
}
