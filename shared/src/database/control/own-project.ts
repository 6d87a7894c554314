/** The instance's own project, which holds the product's own spans (both services name it by this id). */
export const OWN_PROJECT_ID = 'loopkit-00000000'
