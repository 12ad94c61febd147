using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Imports;

/// <summary>Cards that were sold elsewhere, taken over with their codes and balances.</summary>
internal static class ImportsFeature
{
    public static void AddImports(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UploadPart.Intake>();
        builder.Services.AddSingleton<ImportLedger>();
        builder.Services.AddSingleton<ImportChecker>();
        builder.Services.AddSingleton<ImportCommitter>();
        builder.Services.AddSingleton<ImportReverter>();
        builder.Services.AddTask<ImportTask>();
    }

    public static RouteGroupBuilder MapImports(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateImport();
        merchants.MapUploadPart();
        merchants.MapDecideImport();
        merchants.MapImportReport();
        return merchants;
    }
}
