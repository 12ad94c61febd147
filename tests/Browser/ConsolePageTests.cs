using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace LocalPlus.Tests.Browser;

/// <summary>
/// The operator's console in a real browser: by keyboard alone, read aloud, on a phone, and as a picture.
/// </summary>
[Collection(BrowserTests.Name)]
public sealed class ConsolePageTests(ChromiumFixture chromium)
{
    private const int MostBytes = 100_000;
    private const int MostRequests = 5;

    private static readonly string[] Pages =
    [
        "/console",
        "/console/runs",
        "/console/runs/bulks",
        "/console/dead-letters",
        "/console/findings",
        "/console/attention",
        "/console/tasks",
        "/console/jobs",
        "/console/flags",
        "/console/audit",
        "/console/help",
    ];

    private static readonly string[] ShopPages =
    [
        "/console/shop",
        "/console/shop/cards",
        "/console/shop/redemptions",
        "/console/shop/members",
        "/console/shop/programs",
        "/console/shop/reports",
        "/console/shop/places",
        "/console/shop/team",
        "/console/shop/keys",
        "/console/shop/webhooks",
        "/console/shop/templates",
        "/console/shop/templates/redemption_completed/en",
        "/console/shop/audit",
        "/console/shop/requests",
        "/console/till",
        "/console/till/offline",
    ];

    [Fact]
    public async Task A_held_redemption_is_found_and_cancelled_by_keyboard_alone()
    {
        var id = await chromium.HeldAsync();
        await using var visit = await chromium.SignInAsync("otto");
        var keys = visit.Page.Keyboard;

        await keys.PressAsync("g");
        await keys.PressAsync("r");
        await visit.Page.WaitForURLAsync("**/console/runs");
        // The newest comes first.
        await keys.PressAsync("j");
        await keys.PressAsync("Enter");
        await visit.Page.WaitForURLAsync($"**/console/runs/{id}");
        var cancel = visit.Page.Locator("details", new() { HasText = "Cancel" }).Locator("summary").First;
        await cancel.FocusAsync();
        await keys.PressAsync("Enter");
        await keys.PressAsync("Tab");
        await keys.TypeAsync("the customer left");
        await keys.PressAsync("Enter");

        await visit.Page.WaitForURLAsync($"**/console/runs/{id}?done=cancel");
        Assert.Contains("Done: Cancel.", await visit.Page.InnerTextAsync("main"), StringComparison.Ordinal);
        Assert.Equal([], visit.Complaints);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    public async Task No_page_has_a_serious_obstacle_for_anybody(ColorScheme scheme, int width)
    {
        var id = await chromium.HeldAsync();
        await using var visit = await chromium.SignInAsync(
            "ada",
            new()
            {
                Locale = "en-GB",
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = 800 },
            }
        );
        await CheckAsync(visit, scheme, width, [.. Pages, $"/console/runs/{id}"]);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1280)]
    [InlineData(ColorScheme.Dark, 1280)]
    [InlineData(ColorScheme.Light, 360)]
    public async Task No_page_of_a_shop_has_one_either(ColorScheme scheme, int width)
    {
        await chromium.TerminalAsync();
        await chromium.HeldAsync();
        await using var visit = await chromium.SignInAsync(
            "olga",
            new()
            {
                Locale = "en-GB",
                ColorScheme = scheme,
                ViewportSize = new() { Width = width, Height = 800 },
            },
            "/console/shop"
        );
        await CheckAsync(visit, scheme, width, ShopPages);
    }

    private static async Task CheckAsync(Visit visit, ColorScheme scheme, int width, string[] pages)
    {
        foreach (var path in pages)
        {
            await visit.GoAsync(path);
            var found = await visit.Page.RunAxe();
            var serious = found.Violations.Where(v => v.Impact is "serious" or "critical").ToList();
            Assert.True(
                serious.Count == 0,
                $"{path}: {string.Join("; ", serious.Select(v => $"{v.Id}: {v.Nodes[0].Html}"))}"
            );
            // Nothing is cut off: a page may be longer than the screen, never wider.
            Assert.True(
                await visit.Page.EvaluateAsync<bool>("document.documentElement.scrollWidth <= window.innerWidth"),
                $"{path} is wider than {width} pixels"
            );
            await visit.Page.ScreenshotAsync(
                new() { Path = Pictures.At($"{path.Split('/')[^1]}-{scheme}-{width}"), FullPage = true }
            );
        }

        Assert.Equal([], visit.Complaints);
    }

    [Fact]
    public async Task The_first_screen_costs_few_requests_and_bytes()
    {
        await using var visit = await chromium.SignInAsync("vera");
        visit.Requests.Clear();

        await visit.GoAsync("/console");
        await visit.Page.WaitForLoadStateAsync(LoadState.Load);

        var bytes = 0;
        foreach (var request in visit.Requests)
        {
            bytes += (await request.SizesAsync()).ResponseBodySize;
        }

        Assert.InRange(visit.Requests.Count, 1, MostRequests);
        Assert.InRange(bytes, 1, MostBytes);
    }

    [Fact]
    public async Task Without_a_script_everything_is_there()
    {
        var id = await chromium.HeldAsync();
        await using var visit = await chromium.SignInAsync(
            "otto",
            new() { JavaScriptEnabled = false, Locale = "en-GB" }
        );

        await visit.GoAsync($"/console/runs/{id}");
        await visit.Page.Locator("summary", new() { HasText = "Extend the hold" }).ClickAsync();
        await visit.Page.FillAsync($"form[action$='/{id}/extend'] [name=reason]", "the customer looks for her purse");
        await visit.Page.ClickAsync($"form[action$='/{id}/extend'] button");

        await visit.Page.WaitForURLAsync($"**/console/runs/{id}?done=extend");
    }
}
