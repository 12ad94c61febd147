using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.RunBulks;

/// <summary>What operators do to many runs at once: chosen, looked at, said, and done run by run (ADR 0064).</summary>
internal static class RunBulksFeature
{
    public static void AddRunBulks(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RunBulkStore>();
        builder.Services.AddTask<RunBulkTask>();
    }

    public static RouteGroupBuilder MapRunBulks(this RouteGroupBuilder operators)
    {
        operators.MapPreviewRunBulk();
        operators.MapStartRunBulk();
        operators.MapSteerRunBulk();
        operators.MapReadRunBulks();
        return operators;
    }
}
