using LocalPlus.Console.Layout;
using LocalPlus.Console.Session;
using LocalPlus.Hosting;

namespace LocalPlus.Console.PointOfSale;

/// <summary>
/// The till in a browser: looks cards up, takes, holds and refunds, with forms alone; with its script it also reads
/// codes with the camera and goes on selling while there is no network.
/// </summary>
internal static class PointOfSaleFeature
{
    public const string Root = $"{ConsoleService.Root}/till";

    public static void MapPointOfSale(this WebApplication app)
    {
        var till = app.MapGroup(Root)
            .RequirePort(Port.Public)
            .RequireAuthorization(Sessions.Policy)
            .ExcludeFromDescription();
        till.MapPointOfSaleForms().MapOfflineForms();
        app.MapGet($"{Root}/worker.js", (Delegate)SendWorkerAsync)
            .RequirePort(Port.Public)
            .AllowAnonymous()
            .ExcludeFromDescription();
    }

    /// <summary>
    /// Never kept by a browser longer than it must, for it decides what else is kept; it may look after the till's
    /// page, which lies beside it and not below.
    /// </summary>
    private static Task<IResult> SendWorkerAsync(HttpContext http)
    {
        http.Response.Headers.CacheControl = "no-cache";
        http.Response.Headers["Service-Worker-Allowed"] = Root;
        return Task.FromResult(Results.Bytes(StaticFiles.Worker, "text/javascript; charset=utf-8"));
    }
}
