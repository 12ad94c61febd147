using LocalPlus.Console.Api;
using LocalPlus.Console.Bulks;
using LocalPlus.Console.Layout;
using LocalPlus.Console.Pages;
using LocalPlus.Console.PointOfSale;
using LocalPlus.Console.Session;
using LocalPlus.Console.Shop;
using LocalPlus.Hosting;

namespace LocalPlus.Console;

/// <summary>
/// What this service is made of: sign-in and sessions, the platform's API as its pages see it, the pages.
/// </summary>
internal static class ConsoleService
{
    /// <summary>Every page and form lives below it; the gateway sends nothing else here.</summary>
    public const string Root = "/console";

    /// <summary>Whether an address that a browser names leads to one of our pages.</summary>
    public static bool IsOwn(string address) => address.StartsWith(Root, StringComparison.Ordinal);

    public static void AddConsole(this WebApplicationBuilder builder)
    {
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddRazorComponents();
        builder.AddSessions();
        builder.AddPlatform();
        builder.Services.AddScoped<Words>();
        builder.Services.AddSingleton(ConsoleSettings.From(builder.Configuration));
    }

    public static void MapConsole(this WebApplication app)
    {
        app.UseMiddleware<PageHeaders>();
        app.UseMiddleware<PageErrors>();
        app.UseAntiforgery();
        app.MapFiles();
        app.MapSessions();
        app.MapRunActions();
        app.MapBulkForms();
        app.MapDeadLetterActions();
        app.MapFindingActions();
        app.MapTaskActions();
        app.MapShop();
        app.MapPointOfSale();
        app.MapFallback(
                $"{Root}/{{**path}}",
                IResult () => throw new ApiRefusalException(StatusCodes.Status404NotFound, "not_found", "", null)
            )
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();
        app.MapRazorComponents<App>()
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();
    }
}
