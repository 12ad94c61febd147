using LocalPlus.Console.Api;
using LocalPlus.Console.Layout;
using LocalPlus.Console.Pages;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;

namespace LocalPlus.Console;

/// <summary>
/// What this service is made of: sign-in and sessions, the platform's API as its pages see it, the pages.
/// </summary>
internal static class ConsoleService
{
    /// <summary>Every page and form lives below it; the gateway sends nothing else here.</summary>
    public const string Root = "/console";

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
        app.MapDeadLetterActions();
        app.MapFindingActions();
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
