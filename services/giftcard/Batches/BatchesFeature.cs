using LocalPlus.Hosting;

namespace LocalPlus.Giftcard.Batches;

/// <summary>Cards for a printer, made in the background.</summary>
internal static class BatchesFeature
{
    public static void AddBatches(this WebApplicationBuilder builder)
    {
        builder.Services.AddTask<BatchTask>();
    }

    public static RouteGroupBuilder MapBatches(this RouteGroupBuilder merchants)
    {
        merchants.MapCreateBatch();
        merchants.MapListBatches();
        merchants.MapGetBatch();
        merchants.MapDeliverBatchCodes();
        return merchants;
    }
}
